"""NetworkPolicies, made from the edges: nothing passes but what an edge, a port or a workload's egress declares.

Each workload has a policy: which of its ports admit whom, and where its pods may go as its pods. Each identity has one
as well, which holds for all of its pods, those of claims and proofs too: none is called by anybody, and they may go
where the identity's edges lead. Policies add up, so a serving pod has both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aistack.api.labels import identity_labels, role_identity
from aistack.api.names import object_name
from aistack.catalog.models import Port
from aistack.objects.manifest import Manifest
from aistack.planning.egress import identity_egress, workload_egress
from aistack.planning.peers import pods, workload_pods
from aistack.planning.resolve import Resolved
from aistack.planning.wire import Edge, Wiring


def network_policies(stack: str, r: Resolved, resolved: Mapping[str, Resolved], wiring: Wiring) -> list[Manifest]:
    """Return the policies of a component: one for each workload and one for each identity.

    Args:
        stack: the stack's name.
        r: the component.
        resolved: all components of the stack.
        wiring: who uses whom.
    """
    workloads = (_workload(stack, r, role, resolved, wiring) for role in r.component.spec.workloads)
    identities = (_identity(stack, identity, resolved, wiring.of(r.name)) for identity in _identities(r))
    return [*workloads, *identities]


def _identities(r: Resolved) -> list[str]:
    """Return the identities of a component's pods: its own, and one for each role that it spawns."""
    workloads = r.component.spec.workloads.items()
    return [r.name, *(role_identity(r.name, role) for role, workload in workloads if workload.spawned)]


def _workload(stack: str, r: Resolved, role: str, resolved: Mapping[str, Resolved], wiring: Wiring) -> Manifest:
    ports = r.component.spec.workloads[role].ports.items()
    used = ((port, wiring.to(r.name, role, name, port)) for name, port in ports)
    ingress = [rule for port, edges in used if (rule := _rule(stack, r.name, port, edges))]
    egress = workload_egress(stack, resolved, r, role)
    return _policy(object_name(stack, r.name, role), workload_pods(stack, r.name, role), ingress, egress)


def _identity(stack: str, identity: str, resolved: Mapping[str, Resolved], edges: tuple[Edge, ...]) -> Manifest:
    egress = identity_egress(stack, resolved, (e for e in edges if edge_identity(e) == identity))
    name = object_name(stack, *identity.split("."), "identity")
    return _policy(name, pods(identity_labels(stack, identity)), [], egress)


def _policy(name: str, selector: dict[str, Any], ingress: list[Any], egress: list[Any]) -> Manifest:
    rules = {"ingress": ingress, "egress": egress}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        # A direction without a rule lets nothing through.
        "spec": {**selector, "policyTypes": ["Ingress", "Egress"], **{k: v for k, v in rules.items() if v}},
    }


def _rule(stack: str, component: str, port: Port, edges: Iterable[Edge]) -> dict[str, Any] | None:
    ports = [{"port": port.port, "protocol": "TCP"}]
    if port.public:
        return {"ports": ports}
    if port.internal:
        return {"ports": ports, "from": [workload_pods(stack, component, role) for role in port.internal]}
    identities = sorted({edge_identity(e) for e in edges})
    peers = [pods(identity_labels(stack, identity)) for identity in identities]
    return {"ports": ports, "from": peers} if peers else None


def edge_identity(edge: Edge) -> str:
    """Return the identity label of the pods that use an edge."""
    role = edge.require.workload
    return role_identity(edge.consumer, role) if role else edge.consumer
