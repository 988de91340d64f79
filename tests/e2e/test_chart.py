"""The chart on real nodes: the operator from its own image, under the generated role, with nobody else to help."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from aistack.controller.replica import LEASE
from aistack.settings import OPERATOR_NAMESPACE
from tests.chart.helm import Helm
from tests.cluster.common.daemons import Daemon
from tests.demo.cluster import AISTACK, user_environment
from tests.e2e.conftest import PLACE, TAKING_OVER
from tests.journey.kube import Kube, eventually
from tests.journey.operator import RELEASE, remove_namespace, start_operator
from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

NAMESPACE = "e2e-chart"
WAIT = ("--wait", "--timeout", "120s")


@pytest.fixture(scope="module")
def release(kube: Kube, operator: Daemon) -> Iterator[Helm]:
    """The operator as a release; the one that runs beside the cluster makes way for it."""
    remove_namespace(kube, NAMESPACE)
    operator.stop()
    helm = Helm(kube.kubeconfig)
    started = time.monotonic()
    try:
        helm.must("install", *PLACE, *TAKING_OVER, *WAIT)
        print(f"\nhelm install to Ready in {time.monotonic() - started:.0f} s")
        yield helm
    finally:
        helm.run("uninstall", *RELEASE, "--no-hooks", "--wait")
        start_operator(operator, kube.kubeconfig)
        remove_namespace(kube, NAMESPACE, wait=False)


@pytest.fixture(scope="module")
def stack(kube: Kube, release: Helm) -> Starter:
    """A starter stack that this operator made, in a namespace that takes restricted pods alone."""
    up(kube)
    return Starter(kube, NAMESPACE, "inside")


def up(kube: Kube) -> str:
    """Try the operator in one command."""
    return cli(kube, "up", "--current", "-n", NAMESPACE, "--name", "inside")


def cli(kube: Kube, *words: str) -> str:
    """Run a command as a user with kind and helm does, and return what it printed."""
    environment = user_environment(kube)
    done = subprocess.run([AISTACK, *words], env=environment, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_release_says_what_it_would_take(release: Helm) -> None:
    assert "would be taken" in release.must("test", *RELEASE, "--logs")


def test_stacks_are_ready_and_proven_under_the_generated_role(stack: Starter) -> None:
    assert stack.condition("Ready")["status"] == "True"
    assert stack.condition("Proven")["status"] == "True"
    log = stack.kube.run("-n", OPERATOR_NAMESPACE, "logs", "deployment/aistack-aistack-operator", "--tail=-1")
    assert "orbidden" not in log


def test_of_two_replicas_the_other_takes_over_when_one_is_killed(release: Helm, stack: Starter) -> None:
    release.must("upgrade", *PLACE, "--set", "replicas=2", *WAIT)
    kube, before = stack.kube, _pods(stack)
    eventually(lambda: _leader(kube) in _operators(kube), seconds=40)
    former = _leader(kube)
    started = time.monotonic()
    kube.run("-n", OPERATOR_NAMESPACE, "delete", "pod", former, "--force", "--grace-period=0")
    eventually(lambda: _leader(kube) in _operators(kube) - {former}, seconds=60)
    kube.run("-n", stack.namespace, "delete", "service", "inside-mlflow")  # not before: the former may still do it
    eventually(lambda: kube.run("-n", stack.namespace, "get", "service", "inside-mlflow"), seconds=60)
    print(f"\na Service that went was back {time.monotonic() - started:.0f} s after the operator that led was killed")
    assert _pods(stack) == before, "nothing was started anew"


def test_upgrade_uninstall_and_reinstall_leave_stacks_running(release: Helm, stack: Starter) -> None:
    run = stack.log_run("kept", metric=0.5, artifact=b"kept")
    before = _pods(stack)
    release.must("upgrade", *PLACE, "--set", "logFormat=text", *WAIT)
    refused = release.run("uninstall", *RELEASE)
    assert refused.returncode != 0, "stacks need it"
    release.must("uninstall", *RELEASE, "--no-hooks", "--wait")
    assert stack.metric_in_postgres(run.run_id) == run.metric
    release.must("install", *PLACE, *WAIT)
    stack.aistack("prove", "mlflow/postgres", timeout=200)
    assert _pods(stack) == before, "nothing was started anew"
    assert stack.artifact_in_s3(run) == b"kept"


def test_the_trial_goes_on_where_it_stopped_and_leaves_what_others_need(
    kube: Kube, starter: Starter, stack: Starter
) -> None:
    before = _pods(stack)
    said = up(kube)
    assert "inside is up, and every connection has done real work" in said
    assert stack.login("mlflow")[1] not in said, "a log is told no password"
    assert _pods(stack) == before, "nothing was started anew"
    level = "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}"
    assert kube.run("get", "namespace", NAMESPACE, "-o", level) == "restricted"
    said = cli(kube, "down", "--current", "-n", NAMESPACE, "--name", "inside")
    assert f"the operator stays, as others need it: {starter.namespace}/{starter.name}" in said
    assert not kube.run("-n", NAMESPACE, "get", "aistacks", "-o", "name")
    assert kube.run("-n", NAMESPACE, "get", "pvc", "-o", "name"), "data is kept unless asked"


def _leader(kube: Kube) -> str:
    lease = kube.json("-n", OPERATOR_NAMESPACE, "get", "lease", LEASE)
    return str(lease["spec"]["holderIdentity"])


def _operators(kube: Kube) -> set[str]:
    pods = kube.json("-n", OPERATOR_NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/name=aistack-operator")["items"]
    return {pod["metadata"]["name"] for pod in pods}


def _pods(stack: Starter) -> set[str]:
    selector = ("-l", "aistack.dev/serving=true")
    pods = stack.kube.json("-n", stack.namespace, "get", "pods", *selector)["items"]
    return {pod["metadata"]["uid"] for pod in pods}
