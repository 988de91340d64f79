"""AIComponent: a component or contract from anyone. Docstrings of fields are what ``kubectl explain`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from aistack.api.conditions import Condition
from aistack.api.group import API_VERSION, PIECE_KIND
from aistack.api.model import Model, Observation, map_list
from aistack.api.names import MAX_NAME
from aistack.api.nulls import drop_nulls
from aistack.api.rules import Rule, matches
from aistack.api.texts import DNS_1035
from aistack.api.wiring import LocalObjectReference
from aistack.objects.artifact import PINNED

PieceName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME),
    matches(DNS_1035, "is no name of an AIComponent", "write lower-case letters, digits and '-', e.g. weaviate"),
]
Artifact = Annotated[
    str,
    StringConstraints(min_length=1, max_length=512),
    matches(
        PINNED,
        "is no artifact pinned by its digest",
        "write host/path@sha256:..., the host with a dot or a port; 'aistack component push' prints it",
    ),
]
MadeKind = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253),
    matches(
        "([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Z][A-Za-z0-9]*",
        "is no kind",
        "write Kind, or group/Kind without version, e.g. Service or apps/Deployment",
    ),
]
Part = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    matches(
        f"(components|contracts)/{DNS_1035}",
        "is no part of the catalog",
        "write components/NAME or contracts/NAME, e.g. components/mlflow",
    ),
]
_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}
_NO_LOGIN_IN_THE_CLEAR = Rule(
    "!(has(self.plainHttp) && self.plainHttp && has(self.pullSecretRef))",
    "would send the login in the clear",
    "leave out plainHttp, or pullSecretRef",
    lambda spec: not (spec.plain_http and spec.pull_secret_ref),
)


class AIComponentSpec(Model):
    """What is installed, and what it may do."""

    artifact: Artifact
    """OCI artifact that holds components and contracts, pinned by its digest, e.g.
    registry.example.com/ai/weaviate:1.30@sha256:...; 'aistack component push' makes it. A tag is for people; the
    digest decides."""

    pull_secret_ref: LocalObjectReference | None = None
    """Secret in the operator's namespace that opens the registry: .dockerconfigjson with the login (type
    kubernetes.io/dockerconfigjson), ca.crt with its private authority's certificate, or both."""

    plain_http: bool = False
    """Whether to speak to the registry without TLS. Nobody can pass off another artifact, as the digest is checked."""

    kinds: Annotated[tuple[MadeKind, ...], Field(max_length=64, json_schema_extra=_SET)] = ()
    """Kinds that its templates make, as Kind or group/Kind, e.g. Service and apps/Deployment. One that makes anything
    else is refused, and so are kinds that the operator's role doesn't have."""

    replaces: Annotated[tuple[Part, ...], Field(max_length=64, json_schema_extra=_SET)] = ()
    """What of the operator's own catalog it takes the place of, e.g. components/mlflow. Without it, a name that is
    taken is refused."""


class BroughtComponent(Observation):
    """A component that an AIComponent brings."""

    name: str
    """Name, for spec.components of a stack."""

    version: str = ""
    """Its newest version."""

    about: str = ""
    """What it is, in a line."""

    provides: tuple[str, ...] = ()
    """Contracts that it provides."""

    requires: tuple[str, ...] = ()
    """Contracts that it needs; a question mark follows those that it can do without."""

    tier: str = ""
    """How far its author's tests prove it: rendered, running, proven or durable; empty for not at all."""


class AIComponentStatus(Observation):
    """What the operator found and did."""

    observed_generation: int = -1
    """Generation of the spec that the rest of the status speaks of; -1 until the operator has seen it."""

    conditions: Annotated[tuple[Condition, ...], Field(json_schema_extra=map_list("type"))] = ()
    """Ready (stacks can use what it brings), Reconciling (still working), Stalled (a person must act)."""

    message: str = ""
    """The state in one line: all is well, what is waited for, or what to do."""

    artifact: str = ""
    """The artifact in use; it stays the former one while the one of the spec is refused."""

    components: Annotated[tuple[BroughtComponent, ...], Field(json_schema_extra=map_list("name"))] = ()
    """Components that it brings."""

    contracts: tuple[str, ...] = ()
    """Contracts that it brings."""

    used_by: tuple[str, ...] = ()
    """Stacks that use what it brings, as namespace/name, and AIComponents that need it."""


class PieceMetadata(Observation):
    """The part of Kubernetes' metadata that we use; the rest is ignored."""

    name: PieceName
    """Name of the AIComponent."""
    uid: str = ""
    """Identity of this very object."""
    resource_version: str = ""
    """Version of the whole object."""
    generation: int = 0
    """Number of the spec's version."""
    creation_timestamp: str = ""
    """When it was made."""
    deletion_timestamp: str | None = None
    """When deletion was asked for."""
    finalizers: tuple[str, ...] = ()
    """Who must act before the object goes."""


class AIComponent(Model):
    """Components and contracts from anyone, for all stacks of the cluster, added while the operator runs."""

    api_version: str = API_VERSION
    """Version of this API."""
    kind: str = PIECE_KIND
    """Kind of this object."""
    metadata: PieceMetadata
    """Name."""
    spec: Annotated[AIComponentSpec, _NO_LOGIN_IN_THE_CLEAR]
    """What is installed, and what it may do."""
    status: AIComponentStatus = Field(default_factory=AIComponentStatus)
    """What the operator found and did."""

    @property
    def name(self) -> str:
        """Name of the AIComponent."""
        return self.metadata.name

    @property
    def deleting(self) -> bool:
        """Whether deletion was asked for."""
        return self.metadata.deletion_timestamp is not None

    @property
    def brought(self) -> frozenset[str]:
        """Parts of the catalog that it brought when its status was written."""
        components = (f"components/{component.name}" for component in self.status.components)
        return frozenset({*components, *(f"contracts/{name}" for name in self.status.contracts)})


def parse_piece(live: Mapping[str, Any]) -> AIComponent:
    """Read an AIComponent as the API server has it; a status that can't be read counts as none.

    Raises:
        pydantic.ValidationError: it isn't what its definition allows, which the API server sees to.
    """
    known = {key: drop_nulls(live[key]) for key in ("apiVersion", "kind", "metadata", "spec") if key in live}
    found = AIComponent.model_validate(known)
    try:
        status = AIComponentStatus.model_validate(drop_nulls(live.get("status") or {}))
    except ValidationError:
        status = AIComponentStatus()
    return found.model_copy(update={"status": status})
