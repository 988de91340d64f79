"""What a profile asks of a cluster, planned as if it were installed as it is."""

from __future__ import annotations

from aistack.api.spec import AIStack, AIStackSpec, Metadata
from aistack.api.status import Footprint
from aistack.catalog.models import Catalog, Profile
from aistack.errors import InvalidError, NotReadyError
from aistack.rendering import plan_new


def footprint_of(profile: Profile, catalog: Catalog) -> Footprint | None:
    """Return a profile's footprint, None if it can't be planned (``catalog check`` says why)."""
    stack = AIStack(metadata=Metadata(name="stack", namespace="default"), spec=AIStackSpec(profile=profile.name))
    try:
        return plan_new(stack, catalog).footprint
    except (InvalidError, NotReadyError):
        return None
