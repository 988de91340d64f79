"""The computation of what NetworkPolicies let through, against the sentences of Kubernetes' documentation."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.reach import Network, Place, Plugin, Port, matches

PLACES = {
    "web": Place("10.244.0.2", {"app": "web"}, "ml"),
    "db": Place("10.244.0.3", {"app": "db"}, "ml"),
    "far": Place("10.244.0.4", {"app": "web"}, "other"),
    "node": Place("192.168.1.10", node=True),
    "internet": Place("151.101.0.223"),
}
SQL, HTTPS, NAMES = Port(5432), Port(443), Port(53, "UDP")


def network(*specs: str, plugin: Plugin = Plugin.ADDRESSES) -> Network:
    policies = tuple({"metadata": {"namespace": "ml"}, "spec": yaml.safe_load(spec)} for spec in specs)
    return Network(policies, PLACES, frozenset({SQL, HTTPS, NAMES}), plugin)


WEB, DB = "podSelector: {matchLabels: {app: web}}", "podSelector: {matchLabels: {app: db}}"
CASES: dict[str, tuple[list[str], tuple[str, str, Port], bool]] = {
    "nothing-isolates": ([], ("far", "db", SQL), True),
    "selected-is-isolated": (["{podSelector: {}}"], ("web", "db", SQL), False),
    "not-selected-is-free": ([f"{{{DB}}}"], ("db", "web", SQL), True),
    "a-policy-holds-for-its-namespace-only": (["{podSelector: {}}"], ("web", "far", SQL), True),
    "ingress-leaves-egress-free": ([f"{{{WEB}}}"], ("web", "internet", HTTPS), True),
    "egress-without-a-rule": ([f"{{{WEB}, policyTypes: [Egress]}}"], ("web", "internet", HTTPS), False),
    "egress-leaves-ingress-free": ([f"{{{WEB}, policyTypes: [Egress]}}"], ("db", "web", SQL), True),
    "rules-imply-the-type": ([f"{{{WEB}, egress: [{{ports: [{{port: 443}}]}}]}}"], ("web", "internet", SQL), False),
    "an-empty-rule-is-everything": ([f"{{{DB}, ingress: [{{}}]}}"], ("internet", "db", SQL), True),
    "policies-add-up": ([f"{{{DB}}}", f"{{{DB}, ingress: [{{from: [{{{WEB}}}]}}]}}"], ("web", "db", SQL), True),
    "a-pod-selector-is-of-the-same-namespace": (
        [f"{{{DB}, ingress: [{{from: [{{{WEB}}}]}}]}}"],
        ("far", "db", SQL),
        False,
    ),
    "a-namespace-selector-takes-all-of-its-pods": (
        [f"{{{DB}, ingress: [{{from: [{{namespaceSelector: {{}}}}]}}]}}"],
        ("far", "db", SQL),
        True,
    ),
    "a-namespace-selector-takes-nothing-outside": (
        [f"{{{DB}, ingress: [{{from: [{{namespaceSelector: {{}}}}]}}]}}"],
        ("internet", "db", SQL),
        False,
    ),
    "both-selectors-must-match": (
        [f"{{{DB}, ingress: [{{from: [{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: x}}}}}}]}}]}}"],
        ("far", "db", SQL),
        False,
    ),
    "a-protocol-is-tcp-by-default": (
        [f"{{{WEB}, policyTypes: [Egress], egress: [{{ports: [{{port: 53}}]}}]}}"],
        ("web", "internet", NAMES),
        False,
    ),
    "a-range-of-ports": (
        [f"{{{WEB}, policyTypes: [Egress], egress: [{{ports: [{{port: 400, endPort: 500}}]}}]}}"],
        ("web", "internet", HTTPS),
        True,
    ),
    "a-block-of-addresses": (
        [f"{{{WEB}, policyTypes: [Egress], egress: [{{to: [{{ipBlock: {{cidr: 151.101.0.0/16}}}}]}}]}}"],
        ("web", "internet", HTTPS),
        True,
    ),
    "a-block-without-a-part": (
        [f"{{{WEB}, egress: [{{to: [{{ipBlock: {{cidr: 0.0.0.0/0, except: [151.0.0.0/8]}}}}]}}]}}"],
        ("web", "internet", HTTPS),
        False,
    ),
}


@pytest.mark.parametrize(("policies", "connection", "passes"), CASES.values(), ids=CASES)
def test_a_connection(policies: list[str], connection: tuple[str, str, Port], passes: bool) -> None:
    assert (connection in network(*policies).allowed()) is passes


@pytest.mark.parametrize(
    ("plugin", "target", "passes"),
    [
        (Plugin.ADDRESSES, "db", True),
        (Plugin.ADDRESSES, "node", True),
        (Plugin.OUTSIDE, "db", False),
        (Plugin.OUTSIDE, "node", False),
        (Plugin.OUTSIDE, "internet", True),
    ],
)
def test_whom_a_block_of_addresses_holds(plugin: Plugin, target: str, passes: bool) -> None:
    everything = f"{{{WEB}, policyTypes: [Egress], egress: [{{to: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}]}}]}}"
    assert (("web", target, SQL) in network(everything, plugin=plugin).allowed()) is passes


def test_a_port_s_name_is_refused() -> None:
    with pytest.raises(ValueError, match="the port 'http' is a name"):
        network(f"{{{DB}, ingress: [{{ports: [{{port: http}}]}}]}}").allowed()


EXPRESSIONS: dict[str, tuple[dict[str, Any], bool]] = {
    "in": ({"key": "app", "operator": "In", "values": ["web", "x"]}, True),
    "not-in": ({"key": "app", "operator": "NotIn", "values": ["web"]}, False),
    "not-in-without-the-key": ({"key": "tier", "operator": "NotIn", "values": ["web"]}, True),
    "exists": ({"key": "tier", "operator": "Exists"}, False),
    "does-not-exist": ({"key": "tier", "operator": "DoesNotExist"}, True),
}


@pytest.mark.parametrize(("expression", "selected"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expressions(expression: dict[str, Any], selected: bool) -> None:
    assert matches({"matchExpressions": [expression]}, {"app": "web"}) is selected
