"""NetworkPolicies, made from the edges: a port admits whom component.yaml says, and nobody else.

Spawned pods run what people type. They reach everything but the address at which a cloud hands its node's credentials
to whoever asks.
"""

from __future__ import annotations

from typing import Any

from aistack.api.labels import COMPONENT, ROLE, STACK, identity_labels, role_identity
from aistack.api.names import object_name
from aistack.catalog.models import Port
from aistack.objects.manifest import Manifest
from aistack.planning.resolve import Resolved
from aistack.planning.wire import Edge, Wiring

OUTWARDS: tuple[dict[str, Any], ...] = (
    # DNS anywhere: a node's own cache has a link-local address.
    {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
    {
        "to": [
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16", "100.100.100.200/32"]}},
            {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128", "fd20:ce::254/128"]}},
            # For network plugins to which no block of addresses holds pods.
            {"namespaceSelector": {}},
        ]
    },
)
"""What a spawned pod may reach. The exceptions are the clouds' metadata services: the usual one and Alibaba's;
in IPv6 those of AWS and Google."""


def network_policies(stack: str, r: Resolved, wiring: Wiring) -> list[Manifest]:
    """Return one policy for each workload of a component; it isolates the pods' incoming connections.

    That of spawned pods limits outgoing ones as well.
    """
    return [_policy(stack, r, role, wiring) for role in r.component.spec.workloads]


def _policy(stack: str, r: Resolved, role: str, wiring: Wiring) -> Manifest:
    workload = r.component.spec.workloads[role]
    outwards = {"policyTypes": ["Ingress", "Egress"], "egress": list(OUTWARDS)} if workload.spawned else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": object_name(stack, r.name, role)},
        "spec": {
            **_pods(_role_labels(stack, r.name, role)),
            "policyTypes": ["Ingress"],
            "ingress": [rule for port in workload.ports.values() if (rule := _rule(stack, r.name, port, wiring))],
            **outwards,
        },
    }


def _rule(stack: str, component: str, port: Port, wiring: Wiring) -> dict[str, Any] | None:
    ports = [{"port": port.port, "protocol": "TCP"}]
    if port.page or port.metrics:
        return {"ports": ports}
    if port.internal:
        return {"ports": ports, "from": [_pods(_role_labels(stack, component, role)) for role in port.internal]}
    identities = sorted({edge_identity(e) for e in wiring.to(component, port.contract or "")})
    peers = [_pods(identity_labels(stack, identity)) for identity in identities]
    return {"ports": ports, "from": peers} if peers else None


def edge_identity(edge: Edge) -> str:
    """Return the identity label of the pods that use an edge."""
    role = edge.require.workload
    return role_identity(edge.consumer, role) if role else edge.consumer


def _role_labels(stack: str, component: str, role: str) -> dict[str, str]:
    return {STACK: stack, COMPONENT: component, ROLE: role}


def _pods(labels: dict[str, str]) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": labels}}
