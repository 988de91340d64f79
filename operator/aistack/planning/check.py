"""Checks what a catalog makes of stacks: its templates' language, and plans of every profile and component."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from itertools import product
from typing import Any

from aistack.api.component import Size
from aistack.api.group import API_VERSION, KIND
from aistack.api.names import MAX_STACK_NAME
from aistack.api.parse import parse_stack
from aistack.api.spec import AIStack
from aistack.catalog.charts import VALUES_FILE
from aistack.catalog.models import Catalog, Component, Require
from aistack.errors import CatalogError, InvalidError, ToolError
from aistack.planning.plan import Planned
from aistack.planning.template import check_template

Planner = Callable[[AIStack, Catalog], Planned]
"""Plans a stack for a first installation."""


def check_plans(catalog: Catalog, planner: Planner, only: Collection[str] | None = None) -> Iterator[CatalogError]:
    """Yield what is wrong with templates, and what keeps a profile or a component from being planned.

    Every version of a component is planned in every size, together with the first components that provide what it
    needs, and once more with those that it could use. Of each file, what is wrong with its language is told, or else
    the first plan that fails.

    Args:
        catalog: what is planned from.
        planner: plans each stack.
        only: what is looked at of it, as ``components/<name>`` and ``profiles/<name>``; by default all.
    """
    wanted = catalog.parts.keys() if only is None else set(only)
    broken = [e for c in catalog.components.values() if f"components/{c.name}" in wanted for e in _templates(c)]
    yield from broken
    told = {error.file for error in broken}
    for _, file, spec in (case for case in _cases(catalog) if case[0] in wanted):
        error = _plan(catalog, file, spec, planner)
        if error and error.file not in told:
            told.add(error.file)
            yield error


def example_plans(catalog: Catalog, planner: Planner, component: str) -> Iterator[Planned]:
    """Yield the plans that a component is checked with; those that fail are left out.

    Args:
        catalog: what is planned from.
        planner: plans each stack.
        component: its name.
    """
    for part, _, spec in _cases(catalog):
        if part == f"components/{component}":
            with suppress(InvalidError, ToolError):
                yield planner(_stack(spec), catalog)


def _templates(component: Component) -> Iterator[CatalogError]:
    for file, source in component.templates.items():
        yield from check_template(f"{component.folder}/templates/{file}", source)
    if component.chart:
        yield from check_template(f"{component.folder}/{VALUES_FILE}", component.chart.values)


def _cases(catalog: Catalog) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the stacks to plan, each with the part that it tries and the file to blame."""
    for profile in catalog.profiles.values():
        for size in Size:
            yield (
                f"profiles/{profile.name}",
                f"profiles/{profile.name}.yaml",
                {"profile": profile.name, "size": size.value},
            )
    for component in catalog.components.values():
        for others, version, size in product(_company(catalog, component), component.spec.versions, Size):
            entries = [{"name": component.name, "version": version}, *({"name": name} for name in others)]
            spec = {"size": size.value, "components": entries}
            yield f"components/{component.name}", f"{component.folder}/component.yaml", spec


def _company(catalog: Catalog, component: Component) -> list[list[str]]:
    """Return with which others a component is planned: those that it needs, and those that it could use as well."""
    spec = component.spec
    own = [p.contract for p in spec.provides]
    needed, useful = (
        [name for name in providers_of(catalog, spec.requires, own, optional=optional) if name != component.name]
        for optional in (False, True)
    )
    return [needed] if useful == needed else [needed, useful]


def providers_of(
    catalog: Catalog, requires: Iterable[Require], own: Iterable[str] = (), *, optional: bool = False
) -> list[str]:
    """Return the components that provide what a component requires, directly or through others.

    Args:
        catalog: what there is; of several providers the first is taken.
        requires: what it requires.
        own: contracts that it provides itself.
        optional: whether what it could do without counts as well.
    """
    needed: dict[str, None] = {}
    waiting = [requires]
    provided = set(own)
    while waiting:
        for require in waiting.pop():
            if (require.optional and not optional) or require.contract in provided:
                continue
            able = (c for c in catalog.components.values() if _provides(c, require.contract))
            if provider := next(able, None):
                provided |= {p.contract for p in provider.spec.provides}
                needed[provider.name] = None
                waiting.append(provider.spec.requires)
    return list(needed)


def _provides(component: Component, contract: str) -> bool:
    return any(p.contract == contract for p in component.spec.provides)


def _plan(catalog: Catalog, file: str, spec: dict[str, Any], planner: Planner) -> CatalogError | None:
    try:
        planner(_stack(spec), catalog)
    except CatalogError as error:
        return error
    except (InvalidError, ToolError) as error:  # e.g. no helm
        return CatalogError(file, f"can't be planned in size {spec['size']}: {error}")
    return None


def _stack(spec: dict[str, Any]) -> AIStack:
    metadata = {"name": "x" * MAX_STACK_NAME, "namespace": "check"}
    return parse_stack({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})
