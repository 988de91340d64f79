"""Components that no profile has join a running stack: what they provide is proven for an app, and kept by restarts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.pods import app_pod
from tests.journey.kube import eventually
from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

ADDED = {"prometheus": "metrics", "valkey": "redis"}
"""Components and what they provide."""
BOUND = {**ADDED, "postgres": "vector"}
"""What apps are bound to; the profile's PostgreSQL provides more than its components use."""
JOBS = {"jupyterhub/proxy", "mlflow/server", "prometheus/server", "seaweedfs/server"}
COUNTS = """
import pathlib, redis
read = lambda key: pathlib.Path("/binding", key).read_text()
print("visits:", redis.Redis.from_url(read("uri")).incr(read("prefix") + "visits"))
"""


@pytest.fixture(scope="module")
def added(starter: Starter) -> Iterator[Starter]:
    """The starter stack with both beside it, and an app for what each provides."""
    former = starter.live()["spec"].get("components", [])
    started = time.monotonic()
    _components(starter, [*former, *({"name": name} for name in ADDED)])
    starter.aistack("wait", starter.name, "--timeout", "300", timeout=330)
    print(f"\n{' and '.join(ADDED)} joined in {time.monotonic() - started:.0f} s")
    for component, contract in BOUND.items():
        starter.aistack("bind", contract, f"to-{component}", timeout=330)
    yield starter
    starter.kube.run("-n", starter.namespace, "delete", "aibindings", "--all", "--timeout=120s", timeout=150)
    _components(starter, former)
    starter.aistack("wait", starter.name, "--timeout", "300", timeout=330)


@pytest.mark.parametrize("component", ADDED)
def test_a_component_runs_from_its_image(added: Starter, component: str) -> None:
    (found,) = (c for c in added.live()["status"]["components"] if c["name"] == component)
    assert found["phase"] == "Ready"


@pytest.mark.parametrize(("component", "contract"), BOUND.items())
def test_what_it_provides_did_real_work(added: Starter, component: str, contract: str) -> None:
    (edge,) = (e for e in added.live()["status"]["edges"] if e["from"] == f"app-to-{component}")
    assert (edge["to"], edge["contract"], edge["state"]) == (component, contract, "Proven")


def test_every_component_s_metrics_are_collected(added: Starter) -> None:
    share = added.binding("app-to-prometheus", "metrics")
    added.log_run("collected", metric=1.0, artifact=b"x")
    with added.service("prometheus", 9090) as port:
        up = _ask(port, share, "up")
        assert {s["metric"]["job"]: s["value"][1] for s in up} == dict.fromkeys(JOBS, "1")
        eventually(lambda: bool(_ask(port, share, "mlflow_http_request_total > 0")), seconds=60)


def test_a_component_that_goes_down_breaks_the_proof_by_name(added: Starter) -> None:
    deployment = f"deployment/{added.name}-seaweedfs"
    _components(added, [*added.live()["spec"]["components"]], drift="Warn")
    try:
        added.kube.run("-n", added.namespace, "scale", deployment, "--replicas=0")
        eventually(lambda: not _up(added, "seaweedfs/server"), seconds=90)
        done = added.aistack("prove", "app-to-prometheus/metrics", timeout=200, check=False)
        assert done.returncode != 0
        assert "not up: seaweedfs/server" in done.stdout + done.stderr
    finally:
        added.kube.run("-n", added.namespace, "scale", deployment, "--replicas=1")
        _components(added, [*added.live()["spec"]["components"]], drift="Enforce")
    added.aistack("wait", added.name, "--timeout", "300", timeout=330)
    added.aistack("prove", "app-to-prometheus/metrics", timeout=200)


def test_what_an_app_keeps_survives_the_store_s_restart(added: Starter) -> None:
    assert _count(added, "first") == "visits: 1"
    pods = ("-n", added.namespace, "delete", "pod", "-l", "aistack.dev/component=valkey,aistack.dev/serving=true")
    added.kube.run(*pods, "--timeout=60s", timeout=80)
    added.aistack("wait", added.name, "--timeout", "120", timeout=150)
    assert _count(added, "second") == "visits: 2"


def _count(stack: Starter, name: str) -> str:
    ended = ("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    with app_pod(stack, name, "to-valkey", COUNTS):
        stack.kube.run("-n", stack.namespace, *ended, timeout=80)
        return stack.kube.run("-n", stack.namespace, "logs", name).strip()


def _up(stack: Starter, job: str) -> bool:
    share = stack.binding("app-to-prometheus", "metrics")
    with stack.service("prometheus", 9090) as port:
        return bool(_ask(port, share, f'up{{job="{job}"}} == 1'))


def _ask(port: int, share: dict[str, str], question: str) -> list[dict[str, Any]]:
    url, login = f"http://127.0.0.1:{port}/api/v1/query", (share["username"], share["password"])
    found = requests.get(url, params={"query": question}, auth=login, timeout=10).json()
    return list(found["data"]["result"])


def _components(stack: Starter, components: list[dict[str, Any]], **more: Any) -> None:
    patch = json.dumps({"spec": {"components": components, **more}})
    stack.kube.run("-n", stack.namespace, "patch", "aistack", stack.name, "--type=merge", "-p", patch)
