"""NetworkPolicies, proven by computing what they let through.

The test cluster's network enforces no policy, so that a packet that gets through there proves nothing. Instead, the
rendered policies are evaluated as network plugins would (`tests.reach`), for every pod that a stack can have, pods of
others, nodes and addresses outside, and the result must equal what the stack's edges and component.yaml say
(`tests.wanted`): nothing more, nothing less, in either direction.
"""

from __future__ import annotations

import pytest

from aistack.api.binding import AIBinding, AIBindingSpec, BindingMetadata
from aistack.api.labels import IDENTITY, ROLE
from aistack.catalog.locate import catalog_folder
from aistack.objects.manifest import Manifest
from aistack.objects.plan import Observed
from aistack.planning.egress import OUTWARDS
from aistack.planning.plan import Planned, plan_stack
from tests.golden import cases, shipped
from tests.reach import Network, Plugin, Port
from tests.toy import find, objects, plan, stack, starter, toy_of_two, values
from tests.wanted import INTERNET, NAMES, NEIGHBOUR, NODE, STRANGER, Wanted

OFFLINE = "{profile: starter, components: [{name: jupyterhub, values: {internet: false}}]}"
STACKS = {
    "toy": plan(),
    "toy-offline": plan(values("web", {"online": False})),
    "toy-with-a-cache": plan("{profile: toy, components: [{name: cache}]}"),
    "toy-with-two-contracts-at-a-port": plan("{profile: toy, components: [{name: cache}]}", catalog=toy_of_two()),
    "toy-with-a-rival": plan("{profile: toy, components: [{name: db, enabled: false}, {name: rival}]}"),
    "toy-with-a-provider-outside": plan("{profile: toy, external: [{contract: sql, secretRef: {name: company}}]}"),
    "starter": plan("{profile: starter}", catalog=starter()),
    "starter-offline": plan(OFFLINE, catalog=starter()),
    "starter-without-notebooks": plan(
        "{profile: starter, components: [{name: jupyterhub, enabled: false}]}", catalog=starter()
    ),
    **{case.name: case.plan(shipped()) for case in cases(catalog_folder())},
}


def policies(planned: Planned) -> tuple[Manifest, ...]:
    return tuple(m for ref, m in objects(planned).items() if ref.kind == "NetworkPolicy")


def network(wanted: Wanted, rendered: tuple[Manifest, ...] | None = None) -> Network:
    found = policies(wanted.planned) if rendered is None else rendered
    return Network(found, wanted.places, wanted.ports, wanted.plugin)


@pytest.mark.parametrize("plugin", Plugin, ids=lambda plugin: plugin.name.lower())
@pytest.mark.parametrize("planned", STACKS.values(), ids=STACKS)
def test_the_policies_let_through_what_is_declared_and_nothing_else(planned: Planned, plugin: Plugin) -> None:
    wanted = Wanted(planned, plugin)
    found = network(wanted)
    assert found.sent() - wanted.sent == set(), "may be sent though nobody declared it"
    assert wanted.sent - found.sent() == set(), "declared, and can't be sent"
    assert found.received() - wanted.received == set(), "may be received though nobody declared it"
    assert wanted.received - found.received() == set(), "declared, and can't be received"


@pytest.mark.parametrize("planned", STACKS.values(), ids=STACKS)
def test_both_ends_of_every_edge_let_its_consumers_through(planned: Planned) -> None:
    wanted = Wanted(planned)
    allowed = network(wanted).allowed()
    for edge in planned.wiring.edges:
        users = wanted.users(edge)
        assert any(u.startswith("job of ") for u in users), f"nobody claims {edge.key}"
        assert any(ROLE in (wanted.places[u].labels or {}) for u in users), f"nobody uses {edge.key}"
        assert {(u, *t) for u in users for t in wanted.targets(edge)} <= allowed, edge.key


@pytest.mark.parametrize("stack", ["starter", "starter-offline"])
def test_a_peer_behind_a_service_is_the_service_s_selector(stack: str) -> None:
    """Amazon's VPC CNI admits a Service's address only where the peer's labels are among the Service's selector."""
    services = [m["spec"] for ref, m in objects(STACKS[stack]).items() if ref.kind == "Service"]
    served = {(tuple(s["selector"].items()), p["port"]) for s in services for p in s["ports"]}
    rules = [rule for p in policies(STACKS[stack]) for rule in p["spec"].get("egress", [])]
    peers = [
        (tuple(peer["podSelector"]["matchLabels"].items()), port["port"])
        for rule in rules
        for peer in rule.get("to", [])
        for port in rule.get("ports", [])
    ]
    unserved = {dict(labels)[ROLE] for labels, port in peers if (labels, port) not in served}
    assert unserved == {"notebook"}, "only spawned pods are reached by their own address"


NOTEBOOK = "spawned jupyterhub.notebook"
HUB, PROXY, MLFLOW = "demo-jupyterhub-hub", "demo-jupyterhub-proxy", "demo-mlflow"
POSTGRES, SEAWEEDFS = "demo-postgres", "demo-seaweedfs"
STARTER = {
    "mlflow-uses-its-database": (MLFLOW, POSTGRES, 5432, True),
    "mlflow-s-proof-uses-its-database": ("job of mlflow", POSTGRES, 5432, True),
    "notebooks-have-no-database": (NOTEBOOK, POSTGRES, 5432, False),
    "strangers-have-no-database": (STRANGER, POSTGRES, 5432, False),
    "notebooks-use-their-bucket": (NOTEBOOK, SEAWEEDFS, 8333, True),
    "the-hub-has-no-bucket": (HUB, SEAWEEDFS, 8333, False),
    "strangers-have-no-bucket": (STRANGER, SEAWEEDFS, 8333, False),
    "metrics-are-for-all": (STRANGER, SEAWEEDFS, 9327, True),
    "no-master-of-seaweedfs": (MLFLOW, SEAWEEDFS, 9333, False),
    "no-filer-commands": (MLFLOW, SEAWEEDFS, 18888, False),
    "no-s3-commands-without-a-key": (MLFLOW, SEAWEEDFS, 18333, False),
    "the-page-of-mlflow": (STRANGER, MLFLOW, 5000, True),
    "the-page-of-jupyterhub": (NEIGHBOUR, PROXY, 8000, True),
    "databases-look-at-no-page": (POSTGRES, MLFLOW, 5000, False),
    "the-hub-behind-its-proxy": (STRANGER, HUB, 8081, False),
    "the-hub-is-asked-by-notebooks": (NOTEBOOK, HUB, 8081, True),
    "the-proxy-takes-orders": (HUB, PROXY, 8001, True),
    "the-proxy-s-orders-are-the-hub-s": (NOTEBOOK, PROXY, 8001, False),
    "notebooks-are-reached-through-the-proxy": (PROXY, NOTEBOOK, 8888, True),
    "notebooks-are-closed-to-others": (MLFLOW, NOTEBOOK, 8888, False),
    "nobody-calls-a-job": (STRANGER, "job of mlflow", 80, False),
    "the-hub-asks-the-api-server": (HUB, NODE, 6443, True),
    "the-hub-asks-nothing-else-of-a-node": (HUB, NODE, 22, False),
    "the-proxy-has-no-api-server": (PROXY, NODE, 6443, False),
    "databases-have-no-internet": (POSTGRES, INTERNET, 443, False),
    "mlflow-has-no-internet": (MLFLOW, INTERNET, 443, False),
    "databases-ask-for-names": (POSTGRES, NAMES, 53, True),
    "databases-ask-openshift-for-names": (POSTGRES, STRANGER, 5353, True),
    "jobs-ask-for-names": ("job of mlflow", NAMES, 53, True),
    "notebooks-load-packages": (NOTEBOOK, INTERNET, 443, True),
    "notebooks-load-packages-over-ipv6": (NOTEBOOK, "internet over IPv6", 443, True),
    "a-notebook-s-proof-stays-inside": ("job of jupyterhub.notebook", INTERNET, 443, False),
    "the-node-s-credentials": (NOTEBOOK, "metadata", 80, False),
    "the-node-s-credentials-over-ipv6": (NOTEBOOK, "metadata of AWS over IPv6", 80, False),
    "the-node-s-credentials-are-nobody-s": (MLFLOW, "metadata", 80, False),
}


@pytest.mark.parametrize(("source", "target", "port", "passes"), STARTER.values(), ids=STARTER)
def test_the_connections_of_starter_that_matter(source: str, target: str, port: int, passes: bool) -> None:
    wanted = Wanted(STACKS["starter"])
    assert {source, target} <= wanted.places.keys()
    assert ((source, target, Port(port)) in network(wanted).allowed()) is passes


ONLINE_ONLY = {(NOTEBOOK, INTERNET, 443), (NOTEBOOK, STRANGER, 80), (NOTEBOOK, PROXY, 8000), (NOTEBOOK, NODE, 22)}


def test_notebooks_without_the_internet_keep_what_is_theirs() -> None:
    wanted = Wanted(STACKS["starter-offline"])
    allowed = network(wanted).allowed()
    assert {(NOTEBOOK, HUB, Port(8081)), (NOTEBOOK, MLFLOW, Port(5000)), (NOTEBOOK, SEAWEEDFS, Port(8333))} <= allowed
    assert not {(s, t, Port(p)) for s, t, p in ONLINE_ONLY} & allowed
    online = network(Wanted(STACKS["starter"])).allowed()
    assert {(s, t, Port(p)) for s, t, p in ONLINE_ONLY} <= online, "nothing was switched off"


def test_notebooks_see_no_other_notebook() -> None:
    """Two pods of one kind are one place here, so that this is read from the rule."""
    (rule,) = find(STACKS["starter"], "NetworkPolicy", "demo-jupyterhub-notebook")["spec"]["ingress"]
    assert [peer["podSelector"]["matchLabels"][ROLE] for peer in rule["from"]] == ["hub", "proxy"]


def test_a_provider_outside_the_stack_may_be_anywhere() -> None:
    """Its address is what a Secret says: the identity that uses it gets out, and no other."""
    planned = plan("{profile: toy, external: [{contract: sql, secretRef: {name: company}}]}")
    policies = {ref.name: m for ref, m in objects(planned).items() if ref.kind == "NetworkPolicy"}
    egress = {name: policy["spec"].get("egress", []) for name, policy in policies.items()}
    assert OUTWARDS in egress["demo-web-identity"]
    assert OUTWARDS not in egress["demo-web-worker-identity"]


def test_a_port_admits_the_consumers_of_every_contract_that_is_provided_there() -> None:
    two = STACKS["toy-with-two-contracts-at-a-port"]
    assert {(e.key, e.provider) for e in two.wiring.edges} >= {("web/sql", "db"), ("cache/cache", "db")}
    for port in (5432, 5434):
        assert admitted(two, "demo-db-server", port) == ["cache", "web"]
    assert admitted(STACKS["toy-with-a-cache"], "demo-db-server", 5432) == ["web"]


def test_an_app_that_keeps_vectors_reaches_the_database() -> None:
    app = AIBinding(
        metadata=BindingMetadata(name="docs", namespace="ml"), spec=AIBindingSpec(stack="demo", contract="vector")
    )
    planned = plan_stack(stack("{profile: starter}"), starter(), Observed(), [app])
    assert admitted(planned, "demo-postgres-server", 5432) == ["app-docs", "jupyterhub", "mlflow"]


def admitted(planned: Planned, policy: str, port: int) -> list[str]:
    """Return the identities that a policy admits at a port."""
    rules = find(planned, "NetworkPolicy", policy)["spec"]["ingress"]
    (rule,) = (rule for rule in rules if rule["ports"][0]["port"] == port)
    return [peer["podSelector"]["matchLabels"][IDENTITY] for peer in rule["from"]]


IDENTITIES = {
    "server": ("demo-web", "web", True),
    "second-server": ("demo-web-front", "web", True),
    "claim-for-the-servers": ("demo-web-sql-claim", "web", False),
    "claim-for-spawned-pods": ("demo-web-blob-claim", "web.worker", False),
}


@pytest.mark.parametrize(("pod", "identity", "serving"), IDENTITIES.values(), ids=IDENTITIES)
def test_identities_and_who_receives_traffic(pod: str, identity: str, serving: bool) -> None:
    templates = {r.name: m["spec"]["template"] for r, m in objects(plan()).items() if "template" in m.get("spec", {})}
    (template,) = (t for name, t in templates.items() if name == pod or (name.startswith(f"{pod}-") and "claim" in pod))
    labels = template["metadata"]["labels"]
    assert labels["aistack.dev/identity"] == identity
    assert ("aistack.dev/serving" in labels) is serving
