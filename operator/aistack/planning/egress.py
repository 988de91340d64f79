"""Egress: what pods may connect to. DNS, the providers of their edges, their own component, and what it declares.

Rules of policies add up: an administrator who must allow more writes a NetworkPolicy of their own beside ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aistack.catalog.models import Destination
from aistack.planning.peers import target_pods
from aistack.planning.resolve import Resolved
from aistack.planning.wire import Edge, Inside

Rule = Mapping[str, Any]

DNS: Rule = {"ports": [{"port": port, "protocol": protocol} for port in (53, 5353) for protocol in ("UDP", "TCP")]}
"""To anywhere: a node's own cache has a link-local address, and to some network plugins it is the node itself. 5353 is
where OpenShift's DNS pods listen behind their Service, and its network plugin looks at the pod's port."""
API_SERVER: Rule = {"ports": [{"port": port, "protocol": "TCP"} for port in (443, 6443, 8443, 16443)]}
"""The API server, which no selector finds, behind its Service (443) or as the endpoint that most network plugins look
at: 443 in managed clusters, 6443 by default, 8443 in minikube and virtual clusters, 16443 in MicroK8s. To anywhere: its
addresses are known to no plan, and some plugins take a node for no block of addresses."""
OUTWARDS: Rule = {
    "to": [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16", "100.100.100.200/32"]}},
        {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128", "fd20:ce::254/128"]}},
        # For network plugins to which no block of addresses holds pods.
        {"namespaceSelector": {}},
    ]
}
"""Everything but the clouds' metadata services, where a node's credentials are had for the asking: the usual one and
Alibaba's; in IPv6 those of AWS and Google."""


def workload_egress(stack: str, resolved: Mapping[str, Resolved], r: Resolved, role: str) -> list[Rule]:
    """Return what the pods of one workload may connect to: their component's internal ports and what it declares."""
    internal = (
        _to(stack, r, target, (port.port for port in workload.ports.values() if role in port.internal))
        for target, workload in r.component.spec.workloads.items()
    )
    declared = (rule for word in declared_egress(r, role) for rule in _declared(stack, resolved, word))
    return [*(rule for rule in internal if rule), *declared]


def identity_egress(stack: str, resolved: Mapping[str, Resolved], edges: Iterable[Edge]) -> list[Rule]:
    """Return what all pods of one identity may connect to: DNS and the providers of its edges."""
    rules = [DNS]
    for edge in edges:
        rule = _provider(stack, resolved, edge)
        rules += [rule] if rule not in rules else []
    return rules


def declared_egress(r: Resolved, role: str) -> tuple[Destination, ...]:
    """Return what a workload declares under ``egress``, without what values switch off."""
    workload = r.component.spec.workloads[role]
    return tuple(word for word in workload.egress if r.values.get(workload.switches.get(word, ""), True))


def _provider(stack: str, resolved: Mapping[str, Resolved], edge: Edge) -> Rule:
    """Return the rule of an edge; a provider outside the stack may be anywhere, at any port."""
    if not isinstance(edge.source, Inside):
        return OUTWARDS
    source, role = edge.source, edge.source.provide.workload
    r = resolved[source.name]
    ports = r.component.spec.workloads[role].ports
    # Claims may need more ports than consumers do; pods that share an identity share what it may reach.
    reached = (port.port for name, port in ports.items() if source.leads_to(role, name, port))
    return _to(stack, r, role, reached)


def _declared(stack: str, resolved: Mapping[str, Resolved], word: Destination) -> Iterator[Rule]:
    if word == "kubernetes":
        yield API_SERVER
    elif word == "internet":
        yield OUTWARDS
    else:
        yield from _metrics(stack, resolved)


def _metrics(stack: str, resolved: Mapping[str, Resolved]) -> Iterator[Rule]:
    """Yield the ports of the stack that admit anybody: some tools show their metrics beside their page."""
    for _, r in sorted(resolved.items()):
        for role, workload in r.component.spec.workloads.items():
            if rule := _to(stack, r, role, (p.port for p in workload.ports.values() if p.public)):
                yield rule


def _to(stack: str, r: Resolved, role: str, ports: Iterable[int]) -> dict[str, Any]:
    """Return the rule that leads to ports of a workload; empty without any."""
    found = [{"port": port, "protocol": "TCP"} for port in ports]
    return {"ports": found, "to": [target_pods(stack, r, role)]} if found else {}
