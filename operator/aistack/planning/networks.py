"""NetworkPolicies, made from the edges: a port admits whom component.yaml says, and nobody else."""

from __future__ import annotations

from typing import Any

from aistack.api.labels import COMPONENT, ROLE, STACK, identity_labels, role_identity
from aistack.api.names import object_name
from aistack.catalog.models import Port
from aistack.objects.manifest import Manifest
from aistack.planning.resolve import Resolved
from aistack.planning.wire import Edge, Wiring


def network_policies(stack: str, r: Resolved, wiring: Wiring) -> list[Manifest]:
    """Return one policy for each workload of a component; it isolates the pods' incoming connections."""
    return [_policy(stack, r, role, wiring) for role in r.component.spec.workloads]


def _policy(stack: str, r: Resolved, role: str, wiring: Wiring) -> Manifest:
    ports = r.component.spec.workloads[role].ports.values()
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": object_name(stack, r.name, role)},
        "spec": {
            "podSelector": {"matchLabels": {STACK: stack, COMPONENT: r.name, ROLE: role}},
            "policyTypes": ["Ingress"],
            "ingress": [rule for port in ports if (rule := _rule(stack, r.name, port, wiring))],
        },
    }


def _rule(stack: str, component: str, port: Port, wiring: Wiring) -> dict[str, Any] | None:
    ports = [{"port": port.port, "protocol": "TCP"}]
    if port.page or port.metrics:
        return {"ports": ports}
    if port.internal:
        return {"ports": ports, "from": [_pods({STACK: stack, COMPONENT: component})]}
    identities = sorted({edge_identity(e) for e in wiring.to(component, port.contract or "")})
    peers = [_pods(identity_labels(stack, identity)) for identity in identities]
    return {"ports": ports, "from": peers} if peers else None


def edge_identity(edge: Edge) -> str:
    """Return the identity label of the pods that use an edge."""
    role = edge.require.workload
    return role_identity(edge.consumer, role) if role else edge.consumer


def _pods(labels: dict[str, str]) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": labels}}
