"""AIBinding: what a user's own app asks of a stack. Docstrings of fields are what ``kubectl explain`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from aistack.api.conditions import Condition
from aistack.api.group import API_VERSION, BINDING_KIND
from aistack.api.model import Model, Observation, map_list
from aistack.api.names import MAX_CATALOG_NAME
from aistack.api.nulls import drop_nulls
from aistack.api.rules import Rule, matches
from aistack.api.status import EdgeState
from aistack.api.texts import DNS_1035, CatalogName, StackName

_STAYS = Rule(
    "self == oldSelf", "can't be changed", "delete this AIBinding, which ends its credentials, and make another one"
)
BindingName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_CATALOG_NAME),
    matches(
        DNS_1035,
        "is no name of an AIBinding",
        "write lower-case letters, digits and '-', starting with a letter, e.g. report",
    ),
]


class AIBindingSpec(Model):
    """What is asked for."""

    stack: Annotated[StackName, _STAYS]
    """Name of the AIStack in this namespace. Can't be changed."""

    contract: Annotated[CatalogName, _STAYS]
    """What the app uses, e.g. postgres or s3; 'aistack catalog' lists contracts. Can't be changed."""


class SecretName(Observation):
    """Names a Secret in this namespace, as the Service Binding specification asks of a provisioned service."""

    name: str
    """Name of the Secret."""


class AIBindingStatus(Observation):
    """What the operator found and did."""

    observed_generation: int = -1
    """Generation of the spec that the rest of the status speaks of; -1 until the operator has seen the binding."""

    conditions: Annotated[tuple[Condition, ...], Field(json_schema_extra=map_list("type"))] = ()
    """Ready (the Secret opens what was asked for), Reconciling (still working), Stalled (a person must act)."""

    binding: SecretName | None = None
    """The Secret that the app uses, once it was proven; it is another one after a rotation."""

    identity: str = ""
    """Value of the label aistack.dev/identity that the app's pods need, beside aistack.dev/stack, to be let through."""

    provider: str = ""
    """Component that provides it, or secret/NAME for a provider of your own."""

    state: EdgeState = EdgeState.PENDING
    """Pending (not made yet), Unproven (made, not tried), Proven (did real work) or Broken."""

    last_proven: datetime | None = None
    """When a proof last succeeded."""

    message: str = ""
    """The state in one line: all is well, what is waited for, or what to do."""


class BindingMetadata(Observation):
    """The part of Kubernetes' metadata that we use; the rest is ignored."""

    name: BindingName
    """Name of the binding: at most 20 characters, as the names of its objects have it."""
    namespace: str = ""
    """Namespace of the binding and of its stack."""
    resource_version: str = ""
    """Version of the whole object."""
    generation: int = 0
    """Number of the spec's version."""
    deletion_timestamp: str | None = None
    """When deletion was asked for."""
    finalizers: tuple[str, ...] = ()
    """Who must act before the object goes."""


class AIBinding(Model):
    """A share of what a stack provides, for an app of your own: a database, a bucket or a login, proven."""

    api_version: str = API_VERSION
    """Version of this API."""
    kind: str = BINDING_KIND
    """Kind of this object."""
    metadata: BindingMetadata
    """Name and namespace."""
    spec: AIBindingSpec
    """What is asked for."""
    status: AIBindingStatus = Field(default_factory=AIBindingStatus)
    """What the operator found and did."""

    @property
    def name(self) -> str:
        """Name of the binding."""
        return self.metadata.name

    @property
    def deleting(self) -> bool:
        """Whether deletion was asked for."""
        return self.metadata.deletion_timestamp is not None


def parse_binding(live: Mapping[str, Any]) -> AIBinding:
    """Read an AIBinding as the API server has it; a status that can't be read counts as none.

    Raises:
        pydantic.ValidationError: it isn't what its definition allows, which the API server sees to.
    """
    known = {key: drop_nulls(live[key]) for key in ("apiVersion", "kind", "metadata", "spec") if key in live}
    found = AIBinding.model_validate(known)
    try:
        status = AIBindingStatus.model_validate(drop_nulls(live.get("status") or {}))
    except ValidationError:
        status = AIBindingStatus()
    return found.model_copy(update={"status": status})
