"""What a user asks for: the ``spec`` of an AIStack. Docstrings of fields are what ``kubectl explain`` prints."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from aistack.api.component import CLASS_STAYS, ComponentSpec, ComponentStorage, Size
from aistack.api.exposure import EXPOSE_RULES, Expose
from aistack.api.group import API_VERSION, KIND, PROVE, ROTATE
from aistack.api.model import Model, Observation, map_list
from aistack.api.rules import UNIQUE_NAMES, Rule
from aistack.api.scheduling import Scheduling, Toleration
from aistack.api.status import AIStackStatus
from aistack.api.texts import (
    Annotations,
    CatalogName,
    Labels,
    ObjectName,
    Registry,
    ReleaseName,
    ServiceAccountName,
    StackName,
)
from aistack.api.wiring import Access, External, LocalObjectReference, Proofs, Readiness
from aistack.objects.plan import DriftPolicy

__all__ = [
    "AIStack",
    "AIStackSpec",
    "Access",
    "ComponentSpec",
    "ComponentStorage",
    "DeletionPolicy",
    "DriftPolicy",
    "Expose",
    "External",
    "Images",
    "LocalObjectReference",
    "Metadata",
    "Proofs",
    "PullPolicy",
    "Readiness",
    "Scheduling",
    "Size",
    "StackStorage",
    "Toleration",
]
MAX_COMPONENTS = 64
MAX_EXTERNAL = 64


class DeletionPolicy(StrEnum):
    """What deleting a stack, or removing a component, does to its data."""

    RETAIN = "Retain"
    DELETE = "Delete"


class PullPolicy(StrEnum):
    """When the kubelet asks the registry for an image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class Images(Model):
    """Where images come from and how they are pulled."""

    registry: Registry | None = None
    """Registry, and optionally a path in it, that every image is pulled from instead of the published place, e.g.
    registry.example.com/ai. 'aistack images push --registry' fills it."""

    pull_secrets: Annotated[
        tuple[LocalObjectReference, ...], Field(max_length=8, json_schema_extra=map_list("name")), UNIQUE_NAMES
    ] = ()
    """Secrets of type kubernetes.io/dockerconfigjson in this namespace that log in to the registry, as in a Pod's
    imagePullSecrets."""

    pull_policy: PullPolicy = PullPolicy.IF_NOT_PRESENT
    """When nodes ask the registry for an image: Always, IfNotPresent or Never (images were loaded onto the nodes)."""


class StackStorage(Model):
    """What all volumes of the stack share."""

    class_name: ObjectName | None = None
    """StorageClass of all volumes; the cluster's default class if not set. Can't be changed once set."""


class AIStackSpec(Model):
    """What should run. The shortest useful one is 'profile: starter'."""

    profile: CatalogName | None = None
    """Named selection of components to start from, e.g. starter (PostgreSQL, SeaweedFS, MLflow, JupyterHub). Can be
    changed: components that leave are removed, their data kept or deleted as deletionPolicy says. Without one, only
    the components listed run."""

    release: ReleaseName | None = None
    """Release of the catalog to run: a name that 'aistack release list' shows, or latest for the operator's own,
    whatever that is. If not set, the stack stays with the one that it runs, also when the operator is upgraded."""

    size: Size = Size.SMALL
    """Size of every component that doesn't name its own: small (a laptop), medium (a team) or large."""

    components: Annotated[
        tuple[Annotated[ComponentSpec, CLASS_STAYS], ...],
        Field(max_length=MAX_COMPONENTS, json_schema_extra=map_list("name")),
        UNIQUE_NAMES,
    ] = ()
    """Changes to the profile's components, and components besides it, one entry a name."""

    external: Annotated[tuple[External, ...], Field(max_length=MAX_EXTERNAL)] = ()
    """Providers that you have already, e.g. a company's PostgreSQL or S3, each by a Secret. A component of the profile
    that nobody needs any more for it isn't installed, unless it is listed under components."""

    expose: Annotated[Expose, *EXPOSE_RULES] | None = None
    """Puts the pages of all components (each has a login of its own) behind an Ingress controller or a Gateway. They
    are reached with 'aistack open' alone if not set."""

    proofs: Proofs = Proofs()
    """How often connections are proven by real work."""

    readiness: Readiness = Readiness.HEALTH
    """What the condition Ready waits for: Health (all components are healthy) or Proven (every connection did real
    work as well)."""

    images: Images = Images()
    """Where images come from: a registry of your own, its credentials, the pull policy."""

    storage: StackStorage = StackStorage()
    """The StorageClass of all volumes."""

    scheduling: Scheduling = Scheduling()
    """Where pods run: node selector, tolerations, priority."""

    service_account_name: ServiceAccountName | None = None
    """ServiceAccount in this namespace as whom the operator makes, changes and deletes the stack's objects, and reads
    the Secrets of external and adminSecretRef: a stack can do no more than it may. If not set, the one that the
    operator was told to use, else the operator itself. Pods have accounts of their own."""

    labels: Labels = Field(default_factory=dict)
    """Extra labels for every object that the stack makes, e.g. a cost centre."""

    annotations: Annotations = Field(default_factory=dict)
    """Extra annotations for every object that the stack makes."""

    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """What deleting the stack, or removing a component, does to volumes and the Secrets that open them. Retain keeps
    them, and a stack of the same name takes them up again; Delete removes them for good. Deleting the namespace
    removes them in any case, unless the reclaim policy of their PersistentVolumes is Retain."""

    drift: DriftPolicy = DriftPolicy.ENFORCE
    """What happens when someone else changes an object of the stack: Enforce puts it back, Warn only reports it."""

    suspend: bool = False
    """While true, nothing is created, changed or deleted; what runs keeps running, and status says so."""

    def component(self, name: str) -> ComponentSpec:
        """Return what the user says about a component; defaults where nothing is said."""
        return next((c for c in self.components if c.name == name), None) or ComponentSpec(name=name)


_SOMETHING_RUNS = Rule(
    "has(self.profile) || (has(self.components) && self.components.size() > 0)",
    "asks for nothing",
    "write 'profile: starter', or list components",
    lambda spec: bool(spec.profile or spec.components),
)


def _texts_only(annotations: Any) -> dict[str, str]:
    """Keep what Kubernetes allows; a file that isn't from a cluster may hold anything, and its check is elsewhere."""
    if not isinstance(annotations, dict):
        return {}
    return {key: value for key, value in annotations.items() if isinstance(key, str) and isinstance(value, str)}


class Metadata(Observation):
    """The part of Kubernetes' metadata that we use; the rest is ignored."""

    name: StackName
    """Name of the stack: at most 24 characters, as the names of its objects start with it."""
    namespace: str = ""
    """Namespace of the stack and of all its objects."""
    uid: str = ""
    """Identity of this very object; empty if it isn't from a cluster."""
    generation: int = 0
    """Number of the spec's version; 0 if it isn't from a cluster."""
    deletion_timestamp: str | None = None
    """When deletion was asked for."""
    annotations: Annotated[dict[str, str], BeforeValidator(_texts_only)] = Field(default_factory=dict)
    """Annotations; ours ask for a proof or a rotation now."""
    finalizers: tuple[str, ...] = ()
    """Who must act before the object goes."""


class AIStack(Model):
    """A set of open source AI tools that are installed, wired to each other and kept so."""

    api_version: str = API_VERSION
    """Version of this API."""
    kind: str = KIND
    """Kind of this object."""
    metadata: Metadata
    """Name and namespace."""
    spec: Annotated[AIStackSpec, _SOMETHING_RUNS, CLASS_STAYS]
    """What should run. The shortest useful one is 'profile: starter'."""
    status: AIStackStatus = Field(default_factory=AIStackStatus)
    """What the operator found and did."""

    @property
    def name(self) -> str:
        """Name of the stack."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Namespace of the stack and of all its objects."""
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        """Identity of this very object; empty if it isn't from a cluster."""
        return self.metadata.uid

    @property
    def generation(self) -> int:
        """Number of the spec's version; 0 if it isn't from a cluster."""
        return self.metadata.generation

    @property
    def prove_asked(self) -> str:
        """What asks for proofs now: a token, and an edge after a space if one alone is meant; empty for nothing."""
        return self.metadata.annotations.get(PROVE, "")

    @property
    def rotate_asked(self) -> str:
        """What asks for new credentials: a token, a space and the edge; empty for nothing."""
        return self.metadata.annotations.get(ROTATE, "")

    @property
    def deleting(self) -> bool:
        """Whether deletion was asked for."""
        return self.metadata.deletion_timestamp is not None


def status_manifest(status: AIStackStatus) -> dict[str, Any]:
    """Return a status as the API server takes it; what isn't known is left out."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
