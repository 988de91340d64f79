"""Apps of the user's own bind to a real stack: proven for them, used by them, and ended with their AIBinding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.e2e.pods import app_pod
from tests.journey.kube import eventually
from tests.journey.starter import Starter
from tests.journey.tracking import connect

pytestmark = pytest.mark.e2e

CONTRACTS = ("postgres", "s3", "mlflow", "notebooks")
WRITES = """
import pathlib, psycopg
uri = pathlib.Path("/binding/uri").read_text()
with psycopg.connect(uri) as database:
    database.execute("create table if not exists visits (who text)")
    database.execute("insert into visits values ('report')")
"""


@pytest.fixture(scope="module")
def bound(starter: Starter) -> Iterator[Starter]:
    """The starter stack with an app for each contract that it provides."""
    for contract in CONTRACTS:
        done = starter.aistack("bind", contract, f"to-{contract}", timeout=330)
        print(f"\n{done.stdout}")
    yield starter
    starter.kube.run("-n", starter.namespace, "delete", "aibindings", "--all", "--timeout=120s", timeout=150)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_share_of_each_contract_did_real_work(bound: Starter, contract: str) -> None:
    found = _binding(bound, contract)
    assert found["status"]["state"] == "Proven"
    edges = {e["from"]: e for e in bound.live()["status"]["edges"]}
    assert len(edges[f"app-to-{contract}"]["steps"]) >= 3
    assert bound.kube.secret(bound.namespace, found["status"]["binding"]["name"])["type"] == contract


def test_an_app_reaches_its_database_and_nobody_else_s(bound: Starter) -> None:
    _run_app(bound, "writer", WRITES)
    share = bound.binding("app-to-postgres", "postgres")
    with bound.service("postgres", 5432) as port:
        with connect(share, port) as database:
            assert database.execute("select who from visits").fetchall() == [("report",)]
        other = bound.binding("mlflow", "postgres")["database"]
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect({**share, "database": other}, port)


def test_a_laptop_gets_its_environment(bound: Starter) -> None:
    printed = bound.aistack("env", "postgres", "--local")
    variables = dict(line.split("=", 1) for line in printed.stdout.splitlines())
    assert variables["PGHOST"] == "127.0.0.1"
    assert "port-forward service/demo-postgres 5432:5432" in printed.stderr
    with bound.service("postgres", 5432) as port:
        login = {"user": variables["PGUSER"], "password": variables["PGPASSWORD"], "dbname": variables["PGDATABASE"]}
        with psycopg.connect(host="127.0.0.1", port=port, **login) as database:
            assert database.execute("select 1").fetchone() == (1,)


def test_deleting_a_binding_ends_its_login_and_keeps_its_data(bound: Starter) -> None:
    share = bound.binding("app-to-postgres", "postgres")
    secret = _binding(bound, "postgres")["status"]["binding"]["name"]
    bound.kube.run("-n", bound.namespace, "delete", "aibinding", "to-postgres", "--timeout=120s", timeout=150)
    with bound.service("postgres", 5432) as port:
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            connect(share, port)
        admin = {**bound.binding("postgres", "postgres-admin"), "database": share["database"]}
        with connect(admin, port) as database:
            assert database.execute("select who from visits").fetchall() == [("report",)]
    secrets = ("-n", bound.namespace, "get", "secrets", "-o", "name")
    eventually(lambda: f"secret/{secret}" not in bound.kube.run(*secrets).split(), seconds=30)
    assert all(e["from"] != "app-to-postgres" for e in bound.live()["status"]["edges"])


def _binding(stack: Starter, contract: str) -> dict[str, Any]:
    return dict(stack.kube.json("-n", stack.namespace, "get", "aibinding", f"to-{contract}"))


def _run_app(stack: Starter, name: str, program: str) -> None:
    """Run an app to its end."""
    done = ("-n", stack.namespace, "wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    with app_pod(stack, name, "to-postgres", program):
        stack.kube.run(*done, timeout=80)
