"""Wire: who gets what from whom. An edge is one consumer's binding to one provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from aistack.catalog.models import Catalog, Port, Provide, Require
from aistack.errors import SpecError
from aistack.planning.external import Outside, Outsiders
from aistack.planning.resolve import Resolved


@dataclass(frozen=True)
class Inside:
    """A provider of the stack's own."""

    name: str
    provide: Provide

    def leads_to(self, workload: str, name: str, port: Port) -> bool:
        """Whether consumers or their claims connect to a port: the contract's own, and those that admit its claims."""
        contracts = {self.provide.contract, self.provide.admin_of or self.provide.contract}
        return workload == self.provide.workload and (name == self.provide.port or port.contract in contracts)


@dataclass(frozen=True)
class Edge:
    """``consumer`` uses what it requires as served by ``source``."""

    consumer: str
    require: Require
    source: Inside | Outside

    @property
    def key(self) -> str:
        """Name within the stack, e.g. ``mlflow/postgres``."""
        return f"{self.consumer}/{self.require.edge}"

    @property
    def contract(self) -> str:
        """Name of the contract."""
        return self.require.contract

    @property
    def provider(self) -> str:
        """Name of the component that serves it, or ``secret/NAME`` of a provider outside the stack."""
        return self.source.name

    @property
    def units(self) -> tuple[str, ...]:
        """The components that must be healthy before the edge can be used: one, or none."""
        return (self.source.name,) if isinstance(self.source, Inside) else ()

    @property
    def claimed(self) -> bool:
        """Whether the share is made at the provider; a Secret of the user's may be one already."""
        return isinstance(self.source, Inside) or self.source.claimed

    @property
    def share(self) -> str:
        """Name of what the consumer gets (its database, its bucket), after the stack's."""
        edge = self.require.edge
        return self.consumer if edge == self.require.contract else f"{self.consumer}-{edge}"


@dataclass(frozen=True)
class Wiring:
    """All edges, and the components in waves: each wave needs only earlier ones."""

    edges: tuple[Edge, ...]
    waves: tuple[tuple[str, ...], ...]

    def plus(self, edges: Iterable[Edge]) -> Wiring:
        """Return this wiring with more edges, of consumers that aren't components."""
        return Wiring((*self.edges, *edges), self.waves)

    def of(self, consumer: str) -> tuple[Edge, ...]:
        """Return a consumer's edges."""
        return tuple(e for e in self.edges if e.consumer == consumer)

    def to(self, provider: str, workload: str, name: str, port: Port) -> tuple[Edge, ...]:
        """Return the edges that lead to a port of a component, whichever of its contracts they are of."""
        inside = ((e, e.source) for e in self.edges if isinstance(e.source, Inside) and e.provider == provider)
        return tuple(edge for edge, source in inside if source.leads_to(workload, name, port))


def wire(resolved: Mapping[str, Resolved], catalog: Catalog, outside: Outsiders | None = None) -> Wiring:
    """Match every requirement with its provider and order the components.

    Args:
        resolved: the components.
        catalog: tells who could provide what is missing.
        outside: providers of the user's own, which go before those of the stack.

    Raises:
        SpecError: no provider, two providers, two consumers of one share, or components that need each other.
    """
    inside = providers(resolved)
    edges = tuple(e for r in resolved.values() for e in _edges(r, inside, outside or {}, catalog))
    _refuse_one_for_two(resolved, edges)
    return Wiring(edges, _waves(resolved, edges))


def providers(resolved: Mapping[str, Resolved]) -> dict[str, Inside]:
    """Return who provides each contract.

    Raises:
        SpecError: two components provide one.
    """
    found: dict[str, Inside] = {}
    for r in resolved.values():
        for provide in r.component.spec.provides:
            if provide.contract in found:
                other = found[provide.contract].name
                raise SpecError(
                    r.field,
                    f"provides the contract {provide.contract!r}, and so does {other!r}",
                    f"disable one of them: {{name: {other}, enabled: false}}",
                )
            found[provide.contract] = Inside(r.name, provide)
    return found


def _edges(r: Resolved, inside: Mapping[str, Inside], outside: Outsiders, catalog: Catalog) -> Iterable[Edge]:
    for require in r.component.spec.requires:
        source = outside.get((r.name, require.contract)) or inside.get(require.contract)
        if source is not None:
            yield Edge(r.name, require, source)
        elif not require.optional:
            raise SpecError(
                r.field,
                f"needs the contract {require.contract!r}, which nothing in this stack provides",
                _offer(require, catalog),
            )


def _refuse_one_for_two(resolved: Mapping[str, Resolved], edges: Iterable[Edge]) -> None:
    owners: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        other = owners.setdefault((edge.contract, edge.share), edge)
        if other is not edge:
            raise SpecError(
                resolved[edge.consumer].field,
                f"its share of {edge.contract!r} is named {edge.share!r}, and so is that of {other.key}",
                f"disable one of them: {{name: {other.consumer}, enabled: false}}",
            )


def _offer(require: Require, catalog: Catalog) -> str:
    able = sorted(
        c.name for c in catalog.components.values() if any(p.contract == require.contract for p in c.spec.provides)
    )
    own = f"name a Secret for your own under spec.external: {{contract: {require.contract}, secretRef: {{name: ...}}}}"
    return f"enable one of: {', '.join(able)}; or {own}" if able else own


def _waves(resolved: Mapping[str, Resolved], edges: Iterable[Edge]) -> tuple[tuple[str, ...], ...]:
    sorter: TopologicalSorter[str] = TopologicalSorter({name: set() for name in resolved})
    for edge in edges:
        sorter.add(edge.consumer, *edge.units)
    try:
        sorter.prepare()
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise SpecError("spec.components", f"these components need each other: {path}", "disable one of them") from None
    waves = []
    while sorter.is_active():
        ready = tuple(sorted(sorter.get_ready()))
        waves.append(ready)
        sorter.done(*ready)
    return tuple(waves)
