"""The chart on real nodes: the operator from its own image, under the generated role, with nobody else to help."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from aistack.settings import OPERATOR_NAMESPACE
from tests.chart.generated import CHART
from tests.chart.helm import Helm
from tests.cluster.common.daemons import Daemon
from tests.e2e.conftest import remove_namespace
from tests.journey.kube import Kube
from tests.journey.operator import start_operator
from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

NAMESPACE = "e2e-chart"
RELEASE = ("aistack", "--namespace", OPERATOR_NAMESPACE)
WAIT = ("--wait", "--timeout", "120s")
PLACE = ("aistack", CHART, "--namespace", OPERATOR_NAMESPACE)


@pytest.fixture(scope="module")
def release(kube: Kube, operator: Daemon) -> Iterator[Helm]:
    """The operator as a release; the one that runs beside the cluster makes way for it."""
    remove_namespace(kube, NAMESPACE)
    operator.stop()
    helm = Helm(kube.kubeconfig)
    started = time.monotonic()
    try:
        # The definitions were there before, kubectl's: the release takes them over.
        helm.must("install", *PLACE, "--create-namespace", "--take-ownership", "--force-conflicts", *WAIT)
        print(f"\nhelm install to Ready in {time.monotonic() - started:.0f} s")
        yield helm
    finally:
        helm.run("uninstall", *RELEASE, "--no-hooks", "--wait")
        start_operator(operator, kube.kubeconfig)
        remove_namespace(kube, NAMESPACE, wait=False)


@pytest.fixture(scope="module")
def stack(kube: Kube, release: Helm) -> Starter:
    """A starter stack that this operator made, in a namespace that takes restricted pods alone."""
    kube.run("create", "namespace", NAMESPACE)
    kube.run("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    found = Starter(kube, NAMESPACE, "inside")
    kube.apply(found.manifest())
    found.aistack("wait", found.name, "--for", "proven", "--timeout", "400", timeout=420)
    return found


def test_a_release_says_what_it_would_take(release: Helm) -> None:
    assert "would be taken" in release.must("test", *RELEASE, "--logs")


def test_stacks_are_ready_and_proven_under_the_generated_role(stack: Starter) -> None:
    assert stack.condition("Ready")["status"] == "True"
    assert stack.condition("Proven")["status"] == "True"
    log = stack.kube.run("-n", OPERATOR_NAMESPACE, "logs", "deployment/aistack-aistack-operator", "--tail=-1")
    assert "orbidden" not in log


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


def _pods(stack: Starter) -> set[str]:
    selector = ("-l", "aistack.dev/serving=true")
    pods = stack.kube.json("-n", stack.namespace, "get", "pods", *selector)["items"]
    return {pod["metadata"]["uid"] for pod in pods}
