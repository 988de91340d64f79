"""Which connections a stack should let through, from its edges and component.yaml alone, and where it is tried.

Nothing here looks at a NetworkPolicy: :mod:`tests.reach` computes what the rendered ones do, and both must agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from aistack.api.labels import COMPONENT, IDENTITY, ROLE, STACK, component_labels, identity_labels
from aistack.catalog.models import Port as PortSpec
from aistack.planning.plan import Planned
from aistack.planning.pods import pod_template
from aistack.planning.wire import Edge, Inside
from tests.reach import Connection, Place, Plugin, Port
from tests.toy import objects

STRANGER, NEIGHBOUR, INTERNET = "pod of another namespace", "pod of somebody else", "internet"
NODE, NAMES = "node with the API server", "DNS cache of the node"
METADATA = ("metadata", "metadata of Alibaba", "metadata of AWS over IPv6", "metadata of Google over IPv6")
API_PORTS = {Port(443), Port(6443), Port(8443), Port(16443)}
DNS_PORTS = {Port(53), Port(53, "UDP"), Port(5353), Port(5353, "UDP")}
CLOSED = {Port(n) for n in (22, 80, 7777, 9333, 18333, 18888, 65535)}
"""Ports that no component declares, some of which its programs listen on."""


def places(planned: Planned) -> dict[str, Place]:
    """Return every pod that a stack can have, pods of others, nodes and addresses outside, by a name for people."""
    stack, namespace = planned.stack.name, planned.stack.namespace
    found = dict(_pods(planned, stack))
    found |= {f"{name} of another stack": {**pod, STACK: "another"} for name, pod in _pods(planned, stack)}
    numbered = {name: Place(f"10.244.0.{n}", labels, namespace) for n, (name, labels) in enumerate(found.items(), 2)}
    return numbered | {
        STRANGER: Place("10.244.1.2", {"app": "x"}, "elsewhere"),
        NEIGHBOUR: Place("10.244.1.3", {"app": "x"}, namespace),
        NODE: Place("192.168.1.10", node=True),
        NAMES: Place("169.254.20.10", node=True),
        INTERNET: Place("151.101.0.223"),
        "internet over IPv6": Place("2a04:4e42::223"),
        "address of a Service": Place("10.96.0.10"),
        METADATA[0]: Place("169.254.169.254"),
        METADATA[1]: Place("100.100.100.200"),
        METADATA[2]: Place("fd00:ec2::254"),
        METADATA[3]: Place("fd20:ce::254"),
    }


def _pods(planned: Planned, stack: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the labels of pods by name: workloads, Jobs, those that tools spawn, and a Job of every identity."""
    for ref, manifest in objects(planned).items():
        if template := pod_template(manifest):
            yield ref.name, template["metadata"]["labels"]
    for name, resolved in planned.resolved.items():
        common = component_labels(stack, name)
        yield f"job of {name}", {**common, **identity_labels(stack, name)}
        for role, workload in resolved.component.spec.workloads.items():
            if workload.spawned:
                identity = {**common, **identity_labels(stack, f"{name}.{role}")}
                yield f"job of {name}.{role}", identity
                yield f"spawned {name}.{role}", {**identity, ROLE: role}


@dataclass(frozen=True)
class Wanted:
    """What one stack should let through, as one kind of network plugin sees it."""

    planned: Planned
    plugin: Plugin = Plugin.ADDRESSES

    @cached_property
    def places(self) -> dict[str, Place]:
        """Between which connections are tried."""
        return places(self.planned)

    @cached_property
    def ports(self) -> frozenset[Port]:
        """At which connections are tried: all declared ones, and some that nobody declares."""
        workloads = (w for r in self.planned.resolved.values() for w in r.component.spec.workloads.values())
        declared = {Port(p.port) for w in workloads for p in w.ports.values()}
        return frozenset(declared | API_PORTS | DNS_PORTS | CLOSED)

    @cached_property
    def sent(self) -> set[Connection]:
        """Return what sources may send: others everything; our pods to DNS, along edges, inside, and as declared."""
        return {c for c in self._all() if not self._is_ours(c[0]) or self._sends(*c)}

    @cached_property
    def received(self) -> set[Connection]:
        """Return what targets may receive: others everything, our pods what each port admits, Jobs nothing."""
        return {c for c in self._all() if not self._is_ours(c[1]) or self._receives(*c)}

    def users(self, edge: Edge) -> set[str]:
        """Return the pods that use an edge: those that serve or are spawned, and Jobs of claims and proofs."""
        role = edge.require.workload
        identity = f"{edge.consumer}.{role}" if role else edge.consumer
        return {n for n, p in self.places.items() if self._is_ours(n) and (p.labels or {})[IDENTITY] == identity}

    def targets(self, edge: Edge) -> set[tuple[str, Port]]:
        """Return where an edge leads inside the stack: to its contract's port, and to those that its claims need."""
        if not isinstance(edge.source, Inside):
            return set()
        provide = edge.source.provide
        workload = self.planned.resolved[edge.provider].component.spec.workloads[provide.workload]
        claims = [p for p in workload.ports.values() if p.contract and p.contract in (edge.contract, provide.admin_of)]
        ports = {p.port for p in (workload.ports[provide.port], *claims)}
        targets = [n for n in self.places if self._role(n) == (edge.provider, provide.workload)]
        return {(n, Port(port)) for n, port in product(targets, ports)}

    def _all(self) -> Iterator[Connection]:
        return product(self.places, self.places, self.ports)

    def _is_ours(self, name: str) -> bool:
        return (self.places[name].labels or {}).get(STACK) == self.planned.stack.name

    def _role(self, name: str) -> tuple[str, str] | None:
        """Return component and workload of a pod of this stack that is no Job."""
        labels = self.places[name].labels or {}
        return (labels[COMPONENT], labels[ROLE]) if self._is_ours(name) and ROLE in labels else None

    def _port(self, name: str, port: Port) -> PortSpec | None:
        """Return what component.yaml says of a pod's port."""
        if not (role := self._role(name)):
            return None
        workload = self.planned.resolved[role[0]].component.spec.workloads[role[1]]
        return next((p for p in workload.ports.values() if Port(p.port) == port), None)

    def _sends(self, source: str, target: str, port: Port) -> bool:
        inside = self._is_inside(source, target, port)
        wired = self._is_edge(source, target, port) or self._leaves(source, target)
        return port in DNS_PORTS or inside or wired or self._goes(source, target, port)

    def _leaves(self, source: str, target: str) -> bool:
        """Whether the source has an edge to a provider outside the stack, which may be anywhere."""
        outside = (e for e in self.planned.wiring.edges if not isinstance(e.source, Inside))
        return self._is_outward(target) and any(source in self.users(edge) for edge in outside)

    def _receives(self, source: str, target: str, port: Port) -> bool:
        spec = self._port(target, port)
        if not spec:
            return False
        open_to_all = spec.page or spec.metrics
        return open_to_all or self._is_inside(source, target, port) or self._is_edge(source, target, port)

    def _is_inside(self, source: str, target: str, port: Port) -> bool:
        role, spec = self._role(source), self._port(target, port)
        near = role and spec and role[0] == (self._role(target) or "")[0]
        return bool(near and role and spec and role[1] in spec.internal)

    def _is_edge(self, source: str, target: str, port: Port) -> bool:
        return (source, target, port) in self._edges

    @cached_property
    def _edges(self) -> set[Connection]:
        edges = self.planned.wiring.edges
        return {(user, *target) for e in edges for user, target in product(self.users(e), self.targets(e))}

    def _goes(self, source: str, target: str, port: Port) -> bool:
        """Whether what the source's workload declares leads there."""
        if not (role := self._role(source)):
            return False
        resolved = self.planned.resolved[role[0]]
        workload = resolved.component.spec.workloads[role[1]]
        words = [w for w in workload.egress if w not in workload.switches or resolved.values[workload.switches[w]]]
        spec = self._port(target, port)
        return (
            ("kubernetes" in words and port in API_PORTS)
            or ("internet" in words and self._is_outward(target))
            or ("metrics" in words and spec is not None and (spec.page or spec.metrics))
        )

    def _is_outward(self, target: str) -> bool:
        if self.places[target].node:
            return target == NODE and self.plugin is Plugin.ADDRESSES
        return target not in METADATA
