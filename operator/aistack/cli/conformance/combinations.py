"""Which components to try one with: whatever provides what it needs, each provider once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aistack.catalog.models import Catalog, Require

Combination = tuple[str, ...]
"""Names of the components of one stack, sorted."""


def combinations(catalog: Catalog, component: str) -> tuple[Combination, ...]:
    """Return the stacks in which to try a component.

    Args:
        catalog: what can be installed.
        component: its name.

    Returns:
        The first has the first provider, by name, of all that is needed; each other one has another provider of one
        contract. What is optional is there as well. None has two providers of one contract.
    """
    offers = providers(catalog)
    usual = {contract: names[0] for contract, names in offers.items()}
    others = ({**usual, contract: name} for contract, names in offers.items() for name in names[1:])
    found = (closure(catalog, component, chosen) for chosen in (usual, *others))
    return tuple(dict.fromkeys(names for names in found if _is_possible(catalog, names)))


def providers(catalog: Catalog) -> Mapping[str, tuple[str, ...]]:
    """Return the components that provide each contract, by name."""
    found: dict[str, list[str]] = {}
    for name in sorted(catalog.components):
        for provide in catalog.components[name].spec.provides:
            found.setdefault(provide.contract, []).append(name)
    return {contract: tuple(names) for contract, names in found.items()}


def closure(catalog: Catalog, component: str, chosen: Mapping[str, str]) -> Combination:
    """Return a component and all that it needs, with the chosen provider of each contract."""
    found: dict[str, None] = {component: None}
    todo = [component]
    while todo:
        for require in _needs(catalog, todo.pop()):
            if not any(_provides(catalog, name, require.contract) for name in found) and require.contract in chosen:
                found[chosen[require.contract]] = None
                todo.append(chosen[require.contract])
    return tuple(sorted(found))


def _needs(catalog: Catalog, component: str) -> Iterator[Require]:
    yield from catalog.components[component].spec.requires


def _provides(catalog: Catalog, component: str, contract: str) -> bool:
    return any(provide.contract == contract for provide in catalog.components[component].spec.provides)


def _is_possible(catalog: Catalog, names: Combination) -> bool:
    offered = [provide.contract for name in names for provide in catalog.components[name].spec.provides]
    return len(offered) == len(set(offered))
