"""The operator's process on a real API server: what ends kopf doesn't end it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aistack.api.crd import STACKS
from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NAMESPACE = "operator"


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane of its own, as these tests take away what others need."""
    with ControlPlane(tmp_path / "plane") as plane:
        yield plane


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    kube = Kube(plane.kubectl, plane.kubeconfig)
    kube.run("create", "namespace", NAMESPACE)
    return kube


@pytest.fixture
def daemon(request: pytest.FixtureRequest, kube: Kube, tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon("operator", tmp_path)
    start_operator(daemon, kube.kubeconfig, *getattr(request, "param", ()))
    try:
        yield daemon
    finally:
        daemon.stop()


@pytest.mark.parametrize(
    "daemon",
    [pytest.param((), id="everywhere"), pytest.param((f"--watch={NAMESPACE}",), id="one-namespace")],
    indirect=True,
)
def test_the_definition_may_come_late_and_be_made_anew(kube: Kube, daemon: Daemon) -> None:
    for name in ("first", "second"):
        kube.define(ROOT / "crds")
        _make(kube, name)
        eventually(lambda name=name: _seen(kube, name), seconds=30)
        kube.run("delete", "crd", STACKS.name, "--timeout=60s")

    assert daemon.alive


def test_a_crashed_api_server_is_waited_for(plane: ControlPlane, kube: Kube, daemon: Daemon) -> None:
    kube.run("apply", "--server-side", "-f", str(ROOT / "crds"))
    _make(kube, "first")
    eventually(lambda: kube.run("-n", NAMESPACE, "get", "service", "first-postgres"), seconds=30)

    plane.restart_apiserver(grace=0)
    eventually(lambda: kube.run("-n", NAMESPACE, "delete", "service", "first-postgres"), seconds=30)
    eventually(lambda: kube.run("-n", NAMESPACE, "get", "service", "first-postgres"), seconds=60)
    _make(kube, "second")
    eventually(lambda: _seen(kube, "second"), seconds=60)

    assert daemon.alive


def _make(kube: Kube, name: str) -> None:
    stack = {
        "apiVersion": "aistack.dev/v1alpha1",
        "kind": "AIStack",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"components": [{"name": "postgres"}], "deletionPolicy": "Delete"},
    }
    eventually(lambda: kube.run("create", "-f", "-", stdin=json.dumps(stack)), seconds=10)


def _seen(kube: Kube, name: str) -> bool:
    live = kube.json("-n", NAMESPACE, "get", "aistack", name)
    return live.get("status", {}).get("observedGeneration") == live["metadata"]["generation"]
