"""Every connection of a real stack gets new credentials while an app logs to MLflow without a pause."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.e2e.pods import app_pod
from tests.journey.kube import eventually
from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

EDGES = ("jupyterhub/postgres", "jupyterhub/s3", "jupyterhub/mlflow", "mlflow/postgres", "mlflow/s3")
LOGS = """
import json, pathlib, time, requests
read = lambda key: pathlib.Path("/binding", key).read_text()
api, login = read("uri") + "/api/2.0/mlflow", (read("username"), read("password"))
made = requests.post(api + "/experiments/create", json={"name": "under rotation"}, auth=login, timeout=10).json()
run = requests.post(api + "/runs/create", json={"experiment_id": made["experiment_id"]}, auth=login, timeout=10).json()
good = bad = 0
outage = longest = 0.0
while True:
    metric = {"run_id": run["run"]["info"]["run_id"], "key": "n", "value": good, "timestamp": int(time.time() * 1000)}
    started = time.monotonic()
    try:
        requests.post(api + "/runs/log-metric", json=metric, auth=login, timeout=10).raise_for_status()
        good, outage = good + 1, 0.0
    except requests.RequestException:
        bad += 1
        time.sleep(0.2)
        outage += time.monotonic() - started
        longest = max(longest, outage)
    print(json.dumps({"good": good, "bad": bad, "longest": round(longest, 1)}), flush=True)
    time.sleep(0.1)
"""


@pytest.fixture
def logger(starter: Starter) -> Iterator[str]:
    """A pod of an app that logs a metric ten times a second."""
    starter.aistack("bind", "mlflow", "logger", timeout=330)
    with app_pod(starter, "logger", "logger", LOGS) as pod:
        eventually(lambda: _counted(starter, pod)["good"] > 0, seconds=60)
        yield pod
    starter.kube.run("-n", starter.namespace, "delete", "aibinding", "logger", "--timeout=120s", timeout=150)


def test_every_connection_is_rotated_under_load(starter: Starter, logger: str) -> None:
    for edge in EDGES:
        before, started = _counted(starter, logger), time.monotonic()
        consumer, contract = edge.split("/")
        former = starter.binding(consumer, contract)
        starter.aistack("rotate", edge, "--timeout", "300", timeout=330)
        after, seconds = _counted(starter, logger), time.monotonic() - started
        good, bad = after["good"] - before["good"], after["bad"] - before["bad"]
        print(f"\n{edge}: {seconds:.0f} s, {good} requests went well, {bad} failed")
        assert starter.binding(consumer, contract) != former
        assert not bad
    total = _counted(starter, logger)
    print(f"\nall: {total['good']} requests went well, {total['bad']} failed, {total['longest']} s at a time at most")
    assert starter.condition("Proven")["status"] == "True"


def _counted(starter: Starter, pod: str) -> dict[str, float]:
    lines = starter.kube.run("-n", starter.namespace, "logs", pod, "--tail=1").splitlines()
    return json.loads(lines[0]) if lines and lines[0].startswith("{") else {"good": 0, "bad": 0, "longest": 0}
