"""The operator killed again and again while it applies, claims and deletes: it gets there, and leaves nothing."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aistack.settings import OPERATOR_NAMESPACE
from tests.cluster.common.daemons import Daemon
from tests.journey.kube import Kube, KubeError, eventually
from tests.journey.operator import remove_namespace, start_operator
from tests.journey.starter import Starter

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

LIVES = {
    "apply": (("any", 1), ("any", 2), ("any", 3), ("any", 5), ("any", 8), ("any", 13), ("any", 21)),
    "claim": (("Job", 1), ("Job", 1), ("any", 2), ("Job", 1), ("any", 3), ("Job", 1)),
    "delete": (("any", 1), ("any", 4), ("any", 9), ("any", 9), ("any", 2)),
}
"""What the operator is at in each of its lives, and the write that it doesn't survive: the n-th of a kind."""


@pytest.fixture
def doomed(kube: Kube, tmp_path: Path, empty_namespace: str, no_operator: None) -> Iterator[tuple[Starter, Daemon]]:
    """A stack whose operator is not started yet."""
    stack = Starter(kube, empty_namespace, "phoenix")
    kube.run("label", "namespace", stack.namespace, "pod-security.kubernetes.io/enforce=restricted")
    daemon = Daemon("doomed-operator", tmp_path)
    try:
        yield stack, daemon
    finally:
        daemon.stop()


@pytest.fixture
def empty_namespace(kube: Kube, operator: Daemon) -> Iterator[str]:
    """A namespace without anything in it; a failed run's is cleared while an operator runs that can do so."""
    namespace = "e2e-killed"
    remove_namespace(kube, namespace)
    kube.run("create", "namespace", namespace)
    yield namespace
    kube.run("delete", "namespace", namespace, "--wait=false")


def test_a_killed_operator_gets_there_all_the_same(doomed: tuple[Starter, Daemon]) -> None:
    stack, daemon = doomed
    stack.kube.apply(stack.manifest(deletionPolicy="Delete"))
    deaths = {stage: _live_and_die(stack, daemon, LIVES[stage]) for stage in ("apply", "claim")}
    start_operator(daemon, stack.kube.kubeconfig, "--identity=doomed")
    eventually(lambda: stack.condition("Ready").get("status") == "True", seconds=300)
    run = stack.log_run("phoenix", metric=0.5, artifact=b"from the ashes")
    assert stack.metric_in_postgres(run.run_id) == 0.5
    stack.assert_a_pass_writes_nothing()
    daemon.stop()
    stack.kube.run("-n", stack.namespace, "delete", "aistack", stack.name, "--wait=false")
    deaths["delete"] = _live_and_die(stack, daemon, LIVES["delete"])
    start_operator(daemon, stack.kube.kubeconfig, "--identity=doomed")
    eventually(lambda: _gone(stack), seconds=240)
    print(f"\nkilled: {deaths}")
    assert sum(deaths.values()) >= 10
    assert min(deaths.values()) >= 3, deaths
    _assert_nothing_left(stack)


def _live_and_die(stack: Starter, daemon: Daemon, lives: tuple[tuple[str, int], ...]) -> int:
    """Let the operator live once for each entry; return how often it was killed."""
    deaths = 0
    for number, (kind, writes) in enumerate(lives):
        moment = "before" if number % 2 else "after"
        program = ("-m", "tests.e2e.killable", kind, str(writes), moment)
        # The same replica each time, as when a pod's container is started anew: it needn't wait for its own Lease.
        options = ("--kubeconfig", str(stack.kube.kubeconfig), "--identity=doomed")
        daemon.start([sys.executable, *program, *options], tied=True)
        deadline = time.monotonic() + 60
        while daemon.alive and time.monotonic() < deadline and not _settled(stack):
            time.sleep(0.1)
        if not daemon.alive:
            assert daemon.exit_status == -signal.SIGKILL, daemon.log.read_text()[-2000:]
            deaths += 1
        daemon.stop()
    return deaths


def _settled(stack: Starter) -> bool:
    """Whether there is nothing left to write, so that waiting for a kill would be in vain."""
    try:
        live = stack.live()
    except KubeError:
        return True
    ready = {c["type"]: c["status"] for c in live.get("status", {}).get("conditions", [])}.get("Ready")
    return ready == "True" and not live["metadata"].get("deletionTimestamp")


def _gone(stack: Starter) -> bool:
    try:
        stack.live()
    except KubeError:
        return True
    return False


def _assert_nothing_left(stack: Starter) -> None:
    kinds = (
        "deployments,statefulsets,services,configmaps,secrets,jobs,networkpolicies,persistentvolumeclaims,"
        "serviceaccounts,roles,rolebindings,pods"
    )
    selector = f"aistack.dev/stack={stack.name}"
    left = stack.kube.json("-n", stack.namespace, "get", kinds, "-l", selector)["items"]
    assert [f"{o['kind']}/{o['metadata']['name']}" for o in left] == []
    inventories = stack.kube.json("-n", OPERATOR_NAMESPACE, "get", "configmaps")["items"]
    assert [c["metadata"]["name"] for c in inventories if stack.name in c["metadata"]["name"]] == []
