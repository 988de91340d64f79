"""Connections of a real stack break one at a time: the status names the right one in time, and it heals by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import sql

from aistack.catalog.loader import load_catalog
from tests.cluster.kind import Kind
from tests.journey.kube import eventually
from tests.journey.starter import Starter
from tests.journey.tracking import connect

pytestmark = pytest.mark.e2e

EVERY = 30
SILENT = EVERY + 30
"""Seconds within which a fault shows that nothing tells of but the next proof."""
SIGNALLED = 10
"""Seconds within which a fault shows that a watch tells of."""
HEALED = 120


@pytest.fixture(scope="module")
def proving(starter: Starter) -> Iterator[Starter]:
    """The starter stack, whose connections are proven twice a minute meanwhile."""
    _prove_every(starter, f"{EVERY}s")
    yield starter
    _prove_every(starter, None)


@pytest.fixture(autouse=True)
def _all_proven(proving: Starter) -> Iterator[None]:
    """Each test starts with a stack whose connections work, and leaves it so."""
    eventually(lambda: proving.condition("Proven").get("status") == "True", seconds=HEALED)
    yield
    eventually(lambda: proving.condition("Proven").get("status") == "True", seconds=HEALED)


@pytest.mark.parametrize("component", load_catalog().profiles["starter"].components)
def test_all_that_a_component_is_connected_with_did_real_work(proving: Starter, component: str) -> None:
    edges = [e for e in proving.live()["status"]["edges"] if component in (e["from"], e["to"])]
    assert edges
    for edge in edges:
        assert edge["state"] == "Proven", edge
        assert len(edge["steps"]) >= 3
        assert all(step["ok"] for step in edge["steps"])


def test_a_provider_that_hangs(proving: Starter) -> None:
    with _on_the_node("pkill -STOP -x weed", "pkill -CONT -x weed || true"):
        edge = _broken(proving, "mlflow", "s3", SILENT)
        assert edge["to"] == "seaweedfs"
        assert _edge(proving, "mlflow", "postgres")["state"] == "Proven"


def test_a_provider_that_goes(proving: Starter) -> None:
    selector = f"aistack.dev/stack={proving.name},aistack.dev/component=seaweedfs"
    proving.kube.run("-n", proving.namespace, "delete", "pods", "-l", selector, "--wait=false")
    edge = _broken(proving, "mlflow", "s3", SIGNALLED)
    assert "the provider isn't ready" in edge["message"]
    assert _edge(proving, "mlflow", "postgres")["state"] == "Proven"


def test_a_role_that_is_revoked_inside_postgresql(proving: Starter) -> None:
    share = proving.binding("mlflow", "postgres")
    revoke = sql.SQL("revoke {} from {}").format(sql.Identifier(share["database"]), sql.Identifier(share["username"]))
    _as_postgres(proving, revoke)
    edge = _broken(proving, "mlflow", "postgres", SILENT)
    assert edge["failure"] == "auth"
    assert _edge(proving, "jupyterhub", "postgres")["state"] == "Proven"


def test_a_password_that_is_changed_behind_the_operators_back(proving: Starter) -> None:
    login = sql.Identifier(proving.binding("mlflow", "postgres")["username"])
    _as_postgres(proving, sql.SQL("alter role {} password {}").format(login, sql.Literal("somebody else's")))
    edge = _broken(proving, "mlflow", "postgres", SILENT)
    assert edge["failure"] == "auth"
    assert "password" in edge["message"]


def test_a_path_that_is_cut(proving: Starter) -> None:
    selector = f"aistack.dev/stack={proving.name},aistack.dev/component=postgres,aistack.dev/serving=true"
    pods = proving.kube.json("-n", proving.namespace, "get", "pods", "-l", selector)["items"]
    rule = f"FORWARD -d {pods[0]['status']['podIP']} -p tcp --dport 5432 -j DROP"
    with _on_the_node(f"iptables -I {rule}", f"iptables -D {rule}"):
        edge = _broken(proving, "mlflow", "postgres", SILENT)
        assert edge["failure"] in ("network", "slow")
        assert _edge(proving, "mlflow", "s3")["state"] == "Proven"


def test_a_binding_secret_that_is_deleted(proving: Starter) -> None:
    before = _edge(proving, "mlflow", "s3")["lastProven"]
    names = proving.kube.run("-n", proving.namespace, "get", "secrets", "-o", "name").split()
    secret = max(n for n in names if n.startswith(f"secret/{proving.name}-mlflow-s3-"))
    proving.kube.run("-n", proving.namespace, "delete", secret)
    eventually(lambda: _edge(proving, "mlflow", "s3")["state"] != "Proven", seconds=SIGNALLED, pause=0.1)
    eventually(lambda: _edge(proving, "mlflow", "s3").get("lastProven", before) > before, seconds=HEALED)


def test_events_tell_what_broke_and_what_healed(proving: Starter) -> None:
    events = proving.kube.json("-n", proving.namespace, "get", "events")["items"]
    told = {e["reason"]: e for e in events if e["involvedObject"]["kind"] == "AIStack"}
    assert told["EdgeBroken"]["type"] == "Warning"
    assert told["EdgeHealed"]["type"] == "Normal"


def _prove_every(starter: Starter, every: str | None) -> None:
    patch = json.dumps({"spec": {"proofs": {"every": every} if every else None}})
    starter.kube.run("-n", starter.namespace, "patch", "aistack", starter.name, "--type=merge", "-p", patch)


def _edge(starter: Starter, consumer: str, contract: str) -> dict[str, Any]:
    edges = starter.live()["status"]["edges"]
    return next(e for e in edges if (e["from"], e["contract"]) == (consumer, contract))


def _broken(starter: Starter, consumer: str, contract: str, seconds: float) -> dict[str, Any]:
    """Wait until the status says that an edge is broken, print how long it took, and return the edge."""

    def look() -> dict[str, Any]:
        edge = _edge(starter, consumer, contract)
        return edge if edge["state"] == "Broken" else {}

    started = time.monotonic()
    edge = eventually(look, seconds=seconds, pause=0.1)
    print(f"\n{consumer} → {contract} broken after {time.monotonic() - started:.1f} s: {edge['message']}")
    return edge


@contextmanager
def _on_the_node(command: str, undo: str) -> Iterator[None]:
    kind = Kind()
    (node,) = kind.nodes
    kind.exec(node, "sh", "-c", command)
    try:
        yield
    finally:
        kind.exec(node, "sh", "-c", undo)


def _as_postgres(starter: Starter, statement: sql.Composed) -> None:
    """Do what an administrator of PostgreSQL may do without asking the operator."""
    admin = starter.binding("postgres", "postgres-admin")
    with starter.service("postgres", 5432) as port, connect(admin, port) as server:
        server.execute(statement)
