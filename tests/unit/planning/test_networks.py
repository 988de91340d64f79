"""NetworkPolicies, proven by computing what they let through.

The test cluster's network enforces no policy, so that a packet that gets through there proves nothing. Instead, the
rendered policies are evaluated as a network plugin would (`Network` below), for every pod that a stack can have and
every port, and the result must equal what the stack's edges and component.yaml's audiences say: nothing more, nothing
less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from aistack.api.labels import ROLE, component_labels, identity_labels
from aistack.objects.manifest import Manifest
from aistack.planning.plan import Planned
from aistack.planning.pods import pod_template
from tests.toy import find, objects, plan, starter

Labels = Mapping[str, str]
STRANGER = "stranger"
"""A pod of another namespace."""
POD = ""
"""For an address: that of any pod. Some network plugins hold that no block of addresses has it."""


@dataclass(frozen=True)
class Network:
    """Decides over connections as NetworkPolicies do: a pod that one selects admits only what one of them allows."""

    policies: tuple[Manifest, ...]

    def admits(self, source: Labels | None, target: Labels, port: int) -> bool:
        """Whether a connection gets through; ``source`` is None for a pod of another namespace."""
        lets_out = source is None or self._allows("Egress", source, lambda rule: _rule_lets_out(rule, POD, port))
        return lets_out and self._allows("Ingress", target, lambda rule: _rule_admits(rule, source, port))

    def lets_out(self, source: Labels, address: str, port: int) -> bool:
        """Whether a pod gets through to an address that is no pod's."""
        return self._allows("Egress", source, lambda rule: _rule_lets_out(rule, address, port))

    def _allows(self, direction: str, pod: Labels, passes: Callable[[Mapping[str, Any]], bool]) -> bool:
        specs = [p["spec"] for p in self.policies if _matches(p["spec"]["podSelector"], pod)]
        rules = [spec[direction.lower()] for spec in specs if direction in spec["policyTypes"]]
        return not rules or any(passes(rule) for each in rules for rule in each)


def _matches(selector: Mapping[str, Any], labels: Labels) -> bool:
    assert selector.keys() <= {"matchLabels"}, "expressions are not evaluated here"
    return selector.get("matchLabels", {}).items() <= labels.items()


def _rule_admits(rule: Mapping[str, Any], source: Labels | None, port: int) -> bool:
    ports = [p["port"] for p in rule["ports"] if p["protocol"] == "TCP"]
    if "from" not in rule:
        return port in ports
    assert all(peer.keys() == {"podSelector"} for peer in rule["from"]), "peers are of the same namespace"
    near = source is not None and any(_matches(peer["podSelector"], source) for peer in rule["from"])
    return port in ports and near


def _rule_lets_out(rule: Mapping[str, Any], address: str, port: int) -> bool:
    if "ports" in rule and {"port": port, "protocol": "TCP"} not in rule["ports"]:
        return False
    return "to" not in rule or any(_is_peer(peer, address) for peer in rule["to"])


def _is_peer(peer: Mapping[str, Any], address: str) -> bool:
    if address == POD:
        return peer == {"namespaceSelector": {}}
    block = peer.get("ipBlock", {"cidr": "255.255.255.255/32"})
    inside, *kept = (ip_address(address) in ip_network(n) for n in (block["cidr"], *block.get("except", [])))
    return inside and not any(kept)


def pods(planned: Planned) -> dict[str, Labels]:
    """Every pod that a stack can have, by a name for people: workloads, claims and spawned pods."""
    found = {r.name: t["metadata"]["labels"] for r, m in objects(planned).items() if (t := pod_template(m))}
    for name, resolved in planned.resolved.items():
        for role, workload in resolved.component.spec.workloads.items():
            if workload.spawned:
                own = identity_labels("demo", f"{name}.{role}") | {ROLE: role}
                found[f"spawned {name}.{role}"] = {**component_labels("demo", name), **own}
    return found


def allowed(planned: Planned) -> set[tuple[str, str, int]]:
    """All connections that the rendered policies let through, between pods and from strangers."""
    network = Network(tuple(m for r, m in objects(planned).items() if r.kind == "NetworkPolicy"))
    known = pods(planned)
    ports = {p for _, _, p, _ in _declared(planned)} | {22, 80, 443, 8001, 8888, 8889, 9333, 18333, 18888, 65535}
    sources: dict[str, Labels | None] = {**known, STRANGER: None}
    return {
        (source, target, port)
        for source, labels in sources.items()
        for target, target_labels in known.items()
        for port in ports
        if "claim" not in target and network.admits(labels, target_labels, port)
    }


def _declared(planned: Planned) -> Iterator[tuple[str, str, int, Any]]:
    """Component, role, number and declaration of every port."""
    for name, resolved in planned.resolved.items():
        for role, workload in resolved.component.spec.workloads.items():
            yield from ((name, role, port.port, port) for port in workload.ports.values())


def expected(planned: Planned) -> set[tuple[str, str, int]]:
    """All connections that the edges and component.yaml's audiences ask for, worked out independently."""
    known = pods(planned)
    everybody = [*known, STRANGER]
    result = set()
    for name, role, number, port in _declared(planned):
        targets = [
            p for p, labels in known.items()
            if "claim" not in p and labels["aistack.dev/component"] == name and labels.get(ROLE) == role
        ]  # fmt: skip
        sources = (
            everybody
            if port.page or port.metrics
            else [p for p in known if known[p]["aistack.dev/component"] == name and known[p].get(ROLE) in port.internal]
            if port.internal
            else [p for p in known if _uses(planned, known[p], name, port.contract)]
        )
        result |= {(source, target, number) for source in sources for target in targets}
    return result


def _uses(planned: Planned, labels: Labels, provider: str, contract: str) -> bool:
    """Whether a pod has the identity of a consumer of the provider: as its server, its spawned pod or its claim."""
    edges = [e for e in planned.wiring.edges if (e.provider, e.provide.contract) == (provider, contract)]
    identities = {f"{e.consumer}.{e.require.workload}" if e.require.workload else e.consumer for e in edges}
    return labels["aistack.dev/identity"] in identities


STACKS = {
    "toy": plan(),
    "toy-with-a-cache": plan("{profile: toy, components: [{name: cache}]}"),
    "toy-with-a-rival": plan("{profile: toy, components: [{name: db, enabled: false}, {name: rival}]}"),
    "starter": plan("{profile: starter}", catalog=starter()),
    "starter-without-notebooks": plan(
        "{profile: starter, components: [{name: jupyterhub, enabled: false}]}", catalog=starter()
    ),
}


@pytest.mark.parametrize("planned", STACKS.values(), ids=STACKS)
def test_the_policies_let_through_what_is_declared_and_nothing_else(planned: Planned) -> None:
    found, wanted = allowed(planned), expected(planned)
    assert found - wanted == set(), "let through though nobody declared it"
    assert wanted - found == set(), "declared, and blocked"


@pytest.mark.parametrize("planned", STACKS.values(), ids=STACKS)
def test_every_pod_that_serves_or_is_spawned_is_isolated(planned: Planned) -> None:
    network = Network(tuple(m for r, m in objects(planned).items() if r.kind == "NetworkPolicy"))
    for name, labels in pods(planned).items():
        assert "claim" in name or not network.admits(None, labels, 22), f"{name} answers everybody"


NOTEBOOK = "spawned jupyterhub.notebook"
STARTER = {
    "mlflow-uses-its-database": ("demo-mlflow", "demo-postgres", 5432, True),
    "notebooks-have-no-database": (NOTEBOOK, "demo-postgres", 5432, False),
    "strangers-have-no-database": (STRANGER, "demo-postgres", 5432, False),
    "notebooks-use-their-bucket": (NOTEBOOK, "demo-seaweedfs", 8333, True),
    "the-hub-has-no-bucket": ("demo-jupyterhub-hub", "demo-seaweedfs", 8333, False),
    "strangers-have-no-bucket": (STRANGER, "demo-seaweedfs", 8333, False),
    "metrics-are-for-all": (STRANGER, "demo-seaweedfs", 9327, True),
    "no-master-of-seaweedfs": ("demo-mlflow", "demo-seaweedfs", 9333, False),
    "no-filer-of-seaweedfs": ("demo-mlflow", "demo-seaweedfs", 8888, False),
    "no-filer-commands": ("demo-mlflow", "demo-seaweedfs", 18888, False),
    "no-s3-commands-without-a-key": ("demo-mlflow", "demo-seaweedfs", 18333, False),
    "the-page-of-mlflow": (STRANGER, "demo-mlflow", 5000, True),
    "the-page-of-jupyterhub": (STRANGER, "demo-jupyterhub-proxy", 8000, True),
    "the-hub-behind-its-proxy": (STRANGER, "demo-jupyterhub-hub", 8081, False),
    "the-hub-is-asked-by-notebooks": (NOTEBOOK, "demo-jupyterhub-hub", 8081, True),
    "the-proxy-takes-orders": ("demo-jupyterhub-hub", "demo-jupyterhub-proxy", 8001, True),
    "the-proxy-s-orders-are-the-hub-s": (NOTEBOOK, "demo-jupyterhub-proxy", 8001, False),
    "notebooks-are-reached-through-the-proxy": ("demo-jupyterhub-proxy", NOTEBOOK, 8888, True),
    "notebooks-are-closed-to-each-other": (NOTEBOOK, NOTEBOOK, 8888, False),
    "notebooks-are-closed-to-others": ("demo-mlflow", NOTEBOOK, 8888, False),
}


@pytest.mark.parametrize(("source", "target", "port", "passes"), STARTER.values(), ids=STARTER)
def test_the_connections_of_starter_that_matter(source: str, target: str, port: int, passes: bool) -> None:
    planned = STACKS["starter"]
    assert {source, target} <= {*pods(planned), STRANGER}
    assert ((source, target, port) in allowed(planned)) is passes


METADATA = "169.254.169.254"
OUTWARDS = {
    "packages": (NOTEBOOK, "151.101.0.223", 443, True),
    "packages-over-ipv6": (NOTEBOOK, "2a04:4e42::223", 443, True),
    "a-private-address": (NOTEBOOK, "10.96.0.10", 80, True),
    "a-node-s-own-dns-cache": (NOTEBOOK, "169.254.20.10", 53, True),
    "the-node-s-credentials": (NOTEBOOK, METADATA, 80, False),
    "the-node-s-credentials-over-ipv6-of-aws": (NOTEBOOK, "fd00:ec2::254", 80, False),
    "the-node-s-credentials-over-ipv6-of-google": (NOTEBOOK, "fd20:ce::254", 80, False),
    "other-credentials-of-aws": (NOTEBOOK, "169.254.170.23", 80, False),
    "what-we-run-itself-may": ("demo-mlflow", METADATA, 80, True),
}


@pytest.mark.parametrize(("source", "address", "port", "passes"), OUTWARDS.values(), ids=OUTWARDS)
def test_what_spawned_pods_reach_outside(source: str, address: str, port: int, passes: bool) -> None:
    planned = STACKS["starter"]
    network = Network(tuple(m for r, m in objects(planned).items() if r.kind == "NetworkPolicy"))
    assert network.lets_out(pods(planned)[source], address, port) is passes


def test_spawned_pods_ask_for_names_over_udp() -> None:
    rules = find(STACKS["starter"], "NetworkPolicy", "demo-jupyterhub-notebook")["spec"]["egress"]
    assert any("to" not in rule and {"port": 53, "protocol": "UDP"} in rule["ports"] for rule in rules)


def test_another_stack_in_the_same_namespace_is_a_stranger() -> None:
    network = Network(tuple(m for r, m in objects(plan()).items() if r.kind == "NetworkPolicy"))
    other = pods(plan(name="other"))
    mine = pods(plan())
    assert network.admits(mine["demo-web"], mine["demo-db"], 5432)
    assert not network.admits(other["other-web"], mine["demo-db"], 5432)


IDENTITIES = {
    "server": ("demo-web", "web", True),
    "second-server": ("demo-web-front", "web", True),
    "spawned": ("spawned web.worker", "web.worker", False),
    "claim-for-the-servers": ("demo-web-sql-claim", "web", False),
    "claim-for-spawned-pods": ("demo-web-blob-claim", "web.worker", False),
}


@pytest.mark.parametrize(("pod", "identity", "serving"), IDENTITIES.values(), ids=IDENTITIES)
def test_identities_and_who_receives_traffic(pod: str, identity: str, serving: bool) -> None:
    labels = next(labels for name, labels in pods(plan()).items() if name == pod or name.startswith(f"{pod}-"))
    assert labels["aistack.dev/identity"] == identity
    assert ("aistack.dev/serving" in labels) is serving
