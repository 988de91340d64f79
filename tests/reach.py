"""Computes which connections NetworkPolicies let through, as Kubernetes defines them, without a cluster.

A pod that no policy selects for a direction is free in it; one that is selected gets what the rules of all its policies
add up to. A connection passes if its source may send it and its target may receive it. What the definition leaves to
network plugins is in :class:`Plugin`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address, ip_network
from itertools import product
from typing import Any, NamedTuple

from aistack.objects.manifest import Manifest

Rule = Mapping[str, Any]


class Plugin(Enum):
    """What a block of addresses stands for."""

    ADDRESSES = "any address, a pod's or node's too: Calico, OVN-Kubernetes, kube-router, Amazon's VPC CNI"
    OUTSIDE = "no pod, and no node: Cilium"


@dataclass(frozen=True)
class Place:
    """One end of a connection: a pod if it has labels, a node, or an address outside the cluster."""

    address: str
    labels: Mapping[str, str] | None = None
    namespace: str = ""
    node: bool = False

    @property
    def namespace_labels(self) -> dict[str, str]:
        """Labels of the pod's namespace: the one that Kubernetes sets."""
        return {"kubernetes.io/metadata.name": self.namespace}


class Port(NamedTuple):
    """A number and its protocol."""

    number: int
    protocol: str = "TCP"


Connection = tuple[str, str, Port]
"""Names of source and target, and the target's port."""


@dataclass(frozen=True)
class Network:
    """Policies, and the places between which they decide, by name."""

    policies: tuple[Manifest, ...]
    places: Mapping[str, Place]
    ports: frozenset[Port]
    plugin: Plugin = Plugin.ADDRESSES

    def sent(self) -> set[Connection]:
        """Return the connections that their source may send; the target may still refuse them."""
        return {(name, other, port) for name in self.places for other, port in self._passing("Egress", name)}

    def received(self) -> set[Connection]:
        """Return the connections that their target may receive; the source may be unable to send them."""
        return {(other, name, port) for name in self.places for other, port in self._passing("Ingress", name)}

    def allowed(self) -> set[Connection]:
        """Return the connections that get through."""
        return self.sent() & self.received()

    def _passing(self, direction: str, name: str) -> set[tuple[str, Port]]:
        """Return with whom, and at which ports, a place may connect in one direction."""
        chosen = [p for p in self.policies if _isolates(p, direction, self.places[name])]
        if not chosen:
            return set(product(self.places, self.ports))
        rules = ((p, rule) for p in chosen for rule in p["spec"].get(direction.lower()) or [])
        return {found for policy, rule in rules for found in product(self._peers(policy, rule), self._ports(rule))}

    def _ports(self, rule: Rule) -> Iterable[Port]:
        entries = rule.get("ports")
        return [p for p in self.ports if any(_is_port(e, p) for e in entries)] if entries else self.ports

    def _peers(self, policy: Manifest, rule: Rule) -> Iterable[str]:
        entries = rule.get("from") or rule.get("to")
        if not entries:
            return self.places
        return [n for n, place in self.places.items() if any(self._is_peer(e, policy, place) for e in entries)]

    def _is_peer(self, entry: Rule, policy: Manifest, place: Place) -> bool:
        if block := entry.get("ipBlock"):
            inside = self.plugin is Plugin.ADDRESSES or (place.labels is None and not place.node)
            return inside and _in_block(block, place.address)
        if place.labels is None:
            return False
        near = place.namespace == policy["metadata"]["namespace"]
        if "namespaceSelector" in entry:
            near = matches(entry["namespaceSelector"], place.namespace_labels)
        return near and matches(entry.get("podSelector", {}), place.labels)


def _isolates(policy: Manifest, direction: str, place: Place) -> bool:
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    if place.labels is None or place.namespace != policy["metadata"]["namespace"]:
        return False
    return direction in types and matches(spec["podSelector"], place.labels)


def _is_port(entry: Rule, port: Port) -> bool:
    if entry.get("protocol", "TCP") != port.protocol:
        return False
    first = entry.get("port", port.number)
    if not isinstance(first, int):
        raise ValueError(f"the port {first!r} is a name; only pods know what it stands for")
    return first <= port.number <= entry.get("endPort", first)


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    inside, *kept = (ip_address(address) in ip_network(n) for n in (block["cidr"], *block.get("except", [])))
    return inside and not any(kept)


def matches(selector: Rule, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects labels; an empty one selects all."""
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(_holds(e, labels) for e in selector.get("matchExpressions", []))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, among = labels.get(expression["key"]), expression.get("values", [])
    verdicts = {
        "In": value in among,
        "NotIn": value not in among,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return verdicts[expression["operator"]]
