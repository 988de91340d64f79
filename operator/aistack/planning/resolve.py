"""Resolve: which components a stack wants, each with its version, size, values and placement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aistack.api.component import ComponentSpec, Size
from aistack.api.parse import suggest
from aistack.api.scheduling import Scheduling, Toleration, TolerationOperator
from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog, Component
from aistack.errors import AwaitedError, SpecError
from aistack.planning.values import resolve_values

DATA = "data"
"""The volume whose size ``spec.components[].storage.size`` sets."""


@dataclass(frozen=True)
class Resolved:
    """A component as this stack wants it; ``field`` is where the user wrote it, for messages."""

    component: Component
    version: str
    size: Size
    values: Mapping[str, Any]
    storage_size: str
    """Overrides the size of the volume ``data``; empty: the catalog's."""
    storage_class: str
    """Empty: the cluster's default class."""
    class_field: str
    """Where the user wrote the class, for messages."""
    admin_secret: str
    """The user's Secret with the administrator's credentials; empty: they are generated."""
    scheduling: Scheduling
    suspended: bool
    field: str

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name


def resolve(stack: AIStack, catalog: Catalog) -> dict[str, Resolved]:
    """Return the enabled components by name, those of the profile first.

    Raises:
        SpecError: an unknown profile, component, version or value, or nothing that is enabled.
        AwaitedError: a component is known and isn't loaded.
    """
    if stack.spec.profile is not None and stack.spec.profile not in catalog.profiles:
        raise SpecError(
            "spec.profile", f"no profile is named {stack.spec.profile!r}", suggest(stack.spec.profile, catalog.profiles)
        )
    wanted = dict.fromkeys((*_profile_components(stack, catalog), *(c.name for c in stack.spec.components)))
    specs = [stack.spec.component(name) for name in wanted]
    found = [(spec, _component(catalog, spec.name)) for spec in specs]
    if not any(spec.enabled for spec in specs):
        raise SpecError("spec.components", "disables everything", "enable one, or delete the stack")
    return {spec.name: _resolve_one(stack, component, spec) for spec, component in found if spec.enabled}


def _profile_components(stack: AIStack, catalog: Catalog) -> tuple[str, ...]:
    return catalog.profiles[stack.spec.profile].components if stack.spec.profile else ()


def refuse_awaited(catalog: Catalog, parts: Iterable[str]) -> None:
    """Have a stack wait for the parts of the catalog that an AIComponent brings and that aren't loaded.

    Raises:
        AwaitedError: naming the first of them.
    """
    for part in sorted(catalog.awaited.keys() & set(parts)):
        raise AwaitedError("spec", f"{part} can't be used yet: {catalog.awaited[part]}", "what runs stays as it is")


def _component(catalog: Catalog, name: str) -> Component:
    """Return a component; a misspelt one is refused even where it is disabled, as it would run on unnoticed."""
    refuse_awaited(catalog, [f"components/{name}"])
    if name not in catalog.components:
        field = f"spec.components[{name}].name"
        raise SpecError(field, f"no component is named {name!r}", suggest(name, catalog.components))
    return catalog.components[name]


def _resolve_one(stack: AIStack, component: Component, spec: ComponentSpec) -> Resolved:
    field = f"spec.components[{spec.name}]"
    _check_storage(component, spec, field)
    if spec.admin_secret_ref and not component.spec.provides:
        raise SpecError(f"{field}.adminSecretRef", f"{spec.name} has no administrator", "leave it out")
    return Resolved(
        component=component,
        version=_version(component, spec, field),
        size=spec.size or stack.spec.size,
        values=resolve_values(component.values_schema, spec.values, f"{field}.values"),
        storage_size=spec.storage.size or "",
        class_field=f"{field if spec.storage.class_name else 'spec'}.storage.className",
        storage_class=spec.storage.class_name or stack.spec.storage.class_name or "",
        admin_secret=spec.admin_secret_ref.name if spec.admin_secret_ref else "",
        scheduling=placement(stack, spec),
        suspended=stack.spec.suspend or spec.suspend,
        field=field,
    )


def _check_storage(component: Component, spec: ComponentSpec, field: str) -> None:
    if spec.storage.size and DATA not in component.spec.storage:
        values = [f"values.{value}" for w in component.spec.workloads.values() for value in w.volumes.values()]
        remedy = f"write {' or '.join(values)} instead" if values else "leave it out"
        raise SpecError(f"{field}.storage.size", f"{spec.name} has no volume whose size is set here", remedy)
    if spec.storage.class_name and not component.spec.storage:
        raise SpecError(f"{field}.storage.className", f"{spec.name} has no volume", "leave it out")


def _version(component: Component, spec: ComponentSpec, field: str) -> str:
    versions = component.spec.versions
    if spec.version and spec.version not in versions:
        raise SpecError(
            f"{field}.version", f"{spec.version!r} is not in the catalog", f"choose one of: {', '.join(versions)}"
        )
    return spec.version or versions[0]


def placement(stack: AIStack, spec: ComponentSpec) -> Scheduling:
    """Return the stack's placement with the fields replaced that the component sets."""
    own = {name: value for name, value in spec.scheduling if value is not None}
    found = stack.spec.scheduling.model_copy(update=own)
    if found.tolerations is None:
        return found
    return found.model_copy(update={"tolerations": tuple(map(_explicit, found.tolerations))})


def _explicit(toleration: Toleration) -> Toleration:
    """Write out the operator of a toleration without a key, which Kubernetes asks for."""
    return toleration if toleration.key else toleration.model_copy(update={"operator": TolerationOperator.EXISTS})
