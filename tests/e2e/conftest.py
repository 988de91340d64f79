"""One kind cluster, one operator and one starter stack for the whole suite."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from aistack.settings import OPERATOR_NAMESPACE
from tests.chart.generated import CHART
from tests.cluster.common.daemons import Daemon
from tests.demo.cluster import bring_up
from tests.journey.kube import Kube
from tests.journey.operator import remove_namespace, sole_operator, start_operator
from tests.journey.starter import Starter

NAMESPACE = "e2e"
PLACE = ("aistack", CHART, "--namespace", OPERATOR_NAMESPACE)
TAKING_OVER = ("--create-namespace", "--take-ownership", "--force-conflicts")
"""The definitions are kubectl's here until a release takes them over."""


@pytest.fixture(scope="session")
def kube() -> Kube:
    """The cluster; it stays up afterwards, so that the next run is quick."""
    return bring_up()


@pytest.fixture(scope="session")
def operator(kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The operator, serving all namespaces."""
    with sole_operator(kube, tmp_path_factory.mktemp("operator")) as daemon:
        yield daemon


@pytest.fixture
def no_operator(operator: Daemon, kube: Kube) -> Iterator[None]:
    """Nobody reconciles, for tests that run an operator of their own."""
    operator.stop()
    yield
    start_operator(operator, kube.kubeconfig)


@pytest.fixture(scope="session")
def starter(kube: Kube, operator: Daemon) -> Iterator[Starter]:
    """A starter stack, Ready and Proven, in a namespace that enforces the restricted Pod Security Standard."""
    stack = Starter(kube, NAMESPACE, "demo")
    remove_namespace(kube, NAMESPACE)
    kube.run("create", "namespace", NAMESPACE)
    kube.run("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    started = time.monotonic()
    kube.apply(stack.manifest())
    stack.aistack("wait", stack.name, "--timeout", "400", timeout=420)
    ready = time.monotonic()
    stack.aistack("wait", stack.name, "--for", "proven", "--timeout", "180")
    print(f"\nstarter: applied to Ready in {ready - started:.0f} s, to Proven {time.monotonic() - ready:.0f} s later")
    yield stack
    remove_namespace(kube, NAMESPACE, wait=False)
