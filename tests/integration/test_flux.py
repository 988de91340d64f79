"""Flux's own controllers drive the operator and a stack, with the examples as they ship, on a real API server.

The examples are changed in one thing, the address of the Git server. The operator runs with the rights that Flux gave
it; it is a process here, as no pod runs without nodes, and :class:`Kubelet` stands in for them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aistack.settings import OPERATOR_NAMESPACE
from tests.chart.generated import BASE
from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.flux.controllers import SYSTEM
from tests.flux.fleet import NAME, OPERATOR, SOON, STACKS, Fleet, fleet
from tests.integration.kubelet import Kubelet
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator

pytestmark = pytest.mark.integration

WRITTEN = "deployments,services,secrets,configmaps,networkpolicies,persistentvolumeclaims,serviceaccounts,roles"


@dataclass(frozen=True)
class World:
    """All that runs for these tests."""

    fleet: Fleet
    kubelet: Kubelet


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cluster that had nothing but Flux, and then the examples; the operator comes last."""
    folder = tmp_path_factory.mktemp("flux")
    with ControlPlane(folder / "plane") as plane, fleet(Kube(plane.kubectl, plane.kubeconfig), folder, {}) as here:
        here.install()
        kubelet = Kubelet(plane, (here.namespace, OPERATOR_NAMESPACE))
        with kubelet.playing():
            daemon = run_operator(plane, here.kube, folder)
            yield World(here, kubelet)
            daemon.stop()


@pytest.fixture
def flux(world: World) -> Fleet:
    """All is well."""
    world.fleet.healthy()
    return world.fleet


def run_operator(plane: ControlPlane, kube: Kube, folder: Path) -> Daemon:
    """Run the operator once Flux has installed it, as the account that it has there."""
    eventually(lambda: kube.run("-n", OPERATOR_NAMESPACE, "get", "deployment", OPERATOR), seconds=SOON)
    account = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR}"
    daemon = Daemon("operator", folder)
    start_operator(daemon, plane.kubeconfig_for(account, ["system:serviceaccounts"]))
    return daemon


def test_ready_once_the_stack_is_ready_and_proven(world: World) -> None:
    here = world.fleet
    revision = here.healthy()
    assert here.condition("Ready")["status"] == here.condition("Proven")["status"] == "True"
    status = here.flux.status(STACKS)
    assert status["lastAppliedRevision"] == revision
    assert [entry["id"] for entry in status["inventory"]["entries"]] == [f"ml_{NAME}_aistack.dev_AIStack"]
    eventually(lambda: here.flux.ready(OPERATOR)[0] == "True", seconds=SOON)  # Flux looks at it again with each change


def test_a_change_is_applied_waited_for_and_not_taken_for_a_failure(world: World, flux: Fleet) -> None:
    before = flux.versions("deployments")
    world.kubelet.away.set()
    try:
        revision = flux.push(flux.stack.replace("size: medium", "size: small"))
        eventually(lambda: flux.condition("Ready")["reason"] == "Progressing", seconds=SOON)
        for _ in range(12):  # Flux looks every 5 s
            assert flux.flux.ready(STACKS)[0] == "Unknown", flux.flux.ready(STACKS)
            time.sleep(1)
    finally:
        world.kubelet.away.clear()
    flux.follow(revision)
    assert flux.condition("Ready")["status"] == "True"
    changed = {name for name, version in flux.versions("deployments").items() if before[name] != version}
    assert f"Deployment/{NAME}-mlflow" in changed


REFUSED = {
    "by-the-operator": ("profile: starter", "profile: nonsense", "spec.profile: "),
    "by-a-component": ("size: medium", "values: {workers: 0}", "spec.components[mlflow].values.workers: "),
}


@pytest.mark.parametrize(("good", "bad", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refused_stack_fails_soon_and_heals(flux: Fleet, good: str, bad: str, message: str) -> None:
    flux.assert_refused(flux.stack.replace(good, bad), message)
    flux.healthy()
    assert flux.condition("Stalled")["status"] == "False"


MALFORMED = {
    "not-a-choice": ("size: large", "size: enormous", "spec.size: Unsupported value"),
    "no-such-field": ("size: large", "sizes: large", "sizes: field not declared in schema"),
}


@pytest.mark.parametrize(("good", "bad", "message"), MALFORMED.values(), ids=MALFORMED)
def test_what_the_api_server_refuses_changes_nothing(flux: Fleet, good: str, bad: str, message: str) -> None:
    before = flux.live()["spec"]
    flux.push(flux.stack.replace(good, bad))
    eventually(lambda: flux.flux.ready(STACKS)[1] == "ReconciliationFailed", seconds=SOON)
    assert message in flux.flux.ready(STACKS)[2]
    assert flux.live()["spec"] == before


def test_nothing_that_the_operator_writes_is_drift(flux: Fleet) -> None:
    eventually(lambda: calm(flux), seconds=SOON)
    stack, objects = flux.live(), flux.versions(WRITTEN)
    for _ in range(2):
        passes = flux.flux.apply_again(STACKS)
        assert passes
        assert all(done == {flux.entry: "unchanged"} for done in passes)
    assert flux.live() == stack, "neither Flux nor the operator wrote to it"
    assert flux.versions(WRITTEN) == objects
    managers = {m["manager"]: m.get("subresource", "") for m in stack["metadata"]["managedFields"]}
    assert managers == {"kustomize-controller": "", "aistack": "status"}


def calm(flux: Fleet) -> bool:
    """Whether the stack and its objects stay as they are for some seconds: Jobs' ends are noted late."""
    before = flux.live(), flux.versions(WRITTEN)
    time.sleep(3)
    return before == (flux.live(), flux.versions(WRITTEN))


def test_the_operator_as_installed_is_as_in_git(flux: Fleet) -> None:
    passes = flux.flux.apply_again(OPERATOR)
    assert {verb for done in passes for verb in done.values()} == {"unchanged"}


def test_what_somebody_changes_in_the_cluster_is_put_back(flux: Fleet) -> None:
    patch = json.dumps({"spec": {"drift": "Enforce"}})
    flux.kube.run("-n", flux.namespace, "patch", "aistack", NAME, "--type=merge", "-p", patch)
    assert {flux.entry: "configured"} in flux.flux.apply_again(STACKS)
    assert flux.live()["spec"]["drift"] == "Warn"


def test_taken_out_of_git_it_goes_and_its_data_stays(flux: Fleet) -> None:
    volumes = flux.owned("persistentvolumeclaims")
    revision = flux.push(None)
    eventually(flux.absent, seconds=180)
    flux.follow(revision)
    assert flux.owned("deployments,services") == set()
    assert volumes
    assert flux.owned("persistentvolumeclaims") == volumes
    keys = flux.owned("secrets")
    assert keys, "else nothing would open the volumes"
    flux.healthy()
    assert flux.owned("persistentvolumeclaims") == volumes, "taken up again"
    assert flux.owned("secrets") >= keys


def test_a_kustomization_goes_once_its_stacks_are_gone(flux: Fleet) -> None:
    flux.kube.run("-n", SYSTEM, "delete", "kustomization", STACKS, "--timeout=170s", timeout=180)
    assert flux.absent()
    flux.apply_example("stacks.yaml")
    flux.healthy()


def test_the_operator_and_its_kinds_outlive_what_installed_them(flux: Fleet) -> None:
    stack = flux.live()["metadata"]["uid"]
    kustomization = "charts/kustomize/kustomization.yaml"
    text = (BASE / "kustomization.yaml").read_text("utf-8")
    flux.flux.fetch("aistack", flux.base.push({kustomization: text.replace("  - definitions.yaml\n", "")}))
    flux.flux.apply_again(OPERATOR)
    assert "deletionTimestamp" not in flux.live()["metadata"]
    flux.flux.fetch("aistack", flux.base.push({kustomization: text}))
    flux.kube.run("-n", SYSTEM, "delete", "kustomization", OPERATOR, "--timeout=50s")
    assert flux.live()["metadata"]["uid"] == stack
    flux.kube.run("-n", OPERATOR_NAMESPACE, "get", "deployment", OPERATOR)
    flux.apply_example("operator.yaml")
    eventually(lambda: flux.flux.ready(OPERATOR)[0] == "True", seconds=SOON)
