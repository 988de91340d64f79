"""What a user says about one component: an entry of ``spec.components``. Docstrings of fields are for ``explain``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from aistack.api.model import Model
from aistack.api.patches import Patch
from aistack.api.rules import Rule
from aistack.api.scheduling import Scheduling
from aistack.api.texts import CatalogName, ComponentVersion, ObjectName, VolumeSize
from aistack.api.wiring import LocalObjectReference


class Size(StrEnum):
    """How much a stack or component gets: CPU, memory, replicas and volumes, as its catalog entry says."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


CLASS_STAYS = Rule(
    "!has(oldSelf.storage) || !has(oldSelf.storage.className) || "
    "(has(self.storage) && has(self.storage.className) && self.storage.className == oldSelf.storage.className)",
    "can't be changed or removed once set, as volumes can't move between storage classes",
    "put the old value back; to change it, delete the stack or component with its data and make it anew",
    field_path=".storage.className",
)
_SIZE_GROWS = Rule(
    "quantity(self).compareTo(quantity(oldSelf)) >= 0",
    "can't shrink, as Kubernetes only grows volumes",
    "write at least the old size",
)


class ComponentStorage(Model):
    """The component's volume, where it has one."""

    size: Annotated[VolumeSize, _SIZE_GROWS] | None = None
    """Size of the volume, e.g. 20Gi, instead of the one that the component's size gives. Can grow later, if the
    StorageClass allows it, and never shrink."""

    class_name: ObjectName | None = None
    """StorageClass of this component's volume instead of the stack's. Can't be changed once set."""


class ComponentSpec(Model):
    """One component, by name: changes one that the profile brings, or adds one."""

    name: CatalogName
    """Name in the catalog ('aistack catalog' lists them), e.g. mlflow."""

    enabled: bool = True
    """Whether the component runs. False leaves out one that the profile brings; removing it later keeps or deletes its
    data as deletionPolicy says."""

    version: ComponentVersion | None = None
    """Version to run, one of those that 'aistack catalog show NAME' lists; the catalog's newest if not set. In quotes
    where it looks like a number: '17'."""

    size: Size | None = None
    """Size of this component instead of the stack's: small, medium or large."""

    values: Annotated[
        dict[str, Any],
        WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    ] = Field(default_factory=dict)
    """The component's own settings; 'aistack catalog show NAME' lists them with their defaults, and they are checked
    against that list. Leave a setting out to get its default: an explicit null is refused."""

    patches: Annotated[tuple[Patch, ...], Field(max_length=16)] = ()
    """Changes to the component's objects that no value reaches, in their order: a last resort, as another version of
    the component may make other objects. What the operator makes itself (Secrets, NetworkPolicies, Jobs) isn't patched,
    and a patch can't weaken what every pod is held to."""

    storage: ComponentStorage = ComponentStorage()
    """Size and class of the component's volume."""

    admin_secret_ref: LocalObjectReference | None = None
    """Secret in this namespace, e.g. one that an external secret manager keeps, with the credentials of the component's
    administrator (the secret keys of what it provides, e.g. password) instead of generated ones. When it changes, the
    component follows."""

    scheduling: Scheduling = Scheduling()
    """Where this component's pods run; each field that is set replaces the stack's."""

    suspend: bool = False
    """While true, nothing of this component is created, changed or deleted; it keeps running as it is."""
