"""What a cluster must be for stacks: a version that will do, and definitions as new as this program."""

from __future__ import annotations

from aistack.api.crd import DEFINITIONS, INSTALL_DEFINITIONS, Definition, missing_fields
from aistack.api.group import API_VERSION
from aistack.api.versions import Fit, ServerVersion, judge_server
from aistack.cluster.client import Client
from aistack.cluster.discovery import is_missing_kind
from aistack.errors import ClusterError, InvalidError
from aistack.objects.manifest import ObjectKind

SHOWN = 3
"""How many fields are named that a definition lacks."""


async def require_server(client: Client) -> ServerVersion:
    """Return the API server's version, one that will do.

    Raises:
        InvalidError: it is too old.
        ClusterError: it can't be asked.
    """
    found = judge_server(await client.version())
    if found.fit is Fit.TOO_OLD:
        raise InvalidError(f"the cluster's Kubernetes {found}; {found.remedy}")
    return found


async def definitions_problem(client: Client) -> str:
    """Say what is wrong with the cluster's definitions, and what to do; empty if nothing is.

    Raises:
        ClusterError: they can't be asked for.
    """
    schemas = await client.schemas(API_VERSION)
    unseen = [definition for definition in DEFINITIONS if definition.kind not in schemas]
    if missing := [definition.kind for definition in unseen if not await _is_served(client, definition)]:
        return f"the cluster doesn't know {', '.join(missing)}; {INSTALL_DEFINITIONS}"
    seen = [definition for definition in DEFINITIONS if definition not in unseen]  # schemas come a moment after kinds
    older = {field for definition in seen for field in missing_fields(definition, schemas[definition.kind])}
    if older:
        named = ", ".join(sorted(older, key=lambda field: (len(field), field))[:SHOWN])
        return f"the definitions are older than this program: {named} is missing; {INSTALL_DEFINITIONS}"
    return ""


async def _is_served(client: Client, definition: Definition) -> bool:
    kind = ObjectKind(API_VERSION, definition.kind)
    client.discovery.forget(kind)
    try:
        await client.discovery.resource(kind)
    except ClusterError as error:
        if is_missing_kind(error):
            return False
        raise
    return True
