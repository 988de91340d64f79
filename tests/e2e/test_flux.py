"""Flux installs the operator on real nodes and drives a stack through create, change, failure and removal.

Flux's controllers run beside the cluster, as no image of theirs is at hand. What else is changed in the examples is
the address of Git, the registry, the namespace, and sizes that fit a small machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from aistack.settings import OPERATOR_NAMESPACE
from tests.cluster.common.daemons import Daemon
from tests.flux.controllers import SYSTEM
from tests.flux.fleet import NAME, OPERATOR, SOON, STACKS, Fleet, fleet
from tests.flux.programs import programs
from tests.journey.kube import Kube, eventually
from tests.journey.operator import remove_namespace, start_operator
from tests.journey.starter import Starter
from tests.journey.tracking import Run

pytestmark = pytest.mark.e2e

NAMESPACE = "e2e-flux"
CHANGED = {
    "registry.example.com/ai": "registry.aistack.dev",
    "name: ml\n": f"name: {NAMESPACE}\n",
    "targetNamespace: ml\n": f"targetNamespace: {NAMESPACE}\n",
    "size: large": "size: small",
    "size: medium": "size: small",
}
INSTALLED = "deployments,networkpolicies,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings"


@pytest.fixture(scope="module")
def flux(kube: Kube, operator: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The examples, applied; the operator that runs beside the cluster makes way for the one that they install."""
    remove_namespace(kube, NAMESPACE)
    remove_flux(kube)
    operator.stop()
    try:
        with fleet(kube, tmp_path_factory.mktemp("flux"), CHANGED, NAMESPACE) as here:
            here.install()
            yield here
            for name in (STACKS, OPERATOR):
                kube.run("-n", SYSTEM, "delete", "kustomization", name, "--timeout=170s", timeout=180)
    finally:
        kube.run("-n", OPERATOR_NAMESPACE, "delete", INSTALLED, "-l", f"kustomize.toolkit.fluxcd.io/name={OPERATOR}")
        start_operator(operator, kube.kubeconfig)
        remove_flux(kube)
        remove_namespace(kube, NAMESPACE, wait=False)


def remove_flux(kube: Kube) -> None:
    """Remove Flux's kinds and namespace; what a test that was killed left there has nobody to let it go."""
    free = ("--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    for kind in ("kustomizations.kustomize.toolkit.fluxcd.io", "gitrepositories.source.toolkit.fluxcd.io"):
        if kube.run("get", "crd", kind, "--ignore-not-found"):
            for name in kube.run("-n", SYSTEM, "get", kind, "-o", "name").split():
                kube.run("-n", SYSTEM, "patch", name, *free)
    kube.run("delete", "--ignore-not-found", "-f", str(programs() / "crds"))
    kube.run("delete", "namespace", SYSTEM, "--ignore-not-found", "--timeout=50s")


@pytest.fixture(scope="module")
def stack(flux: Fleet) -> Starter:
    """The stack, Ready as Flux says."""
    started = time.monotonic()
    flux.healthy()
    print(f"\nfrom Git to Ready and Proven, the operator's installation included: {time.monotonic() - started:.0f} s")
    return Starter(flux.kube, NAMESPACE, NAME)


@pytest.fixture(scope="module")
def run(stack: Starter) -> Run:
    """What a team has in it."""
    return stack.log_run("kept", metric=0.5, artifact=b"kept")


def test_flux_is_content_once_everything_is_proven(flux: Fleet, stack: Starter) -> None:
    assert stack.condition("Ready")["status"] == stack.condition("Proven")["status"] == "True"
    eventually(lambda: flux.flux.ready(OPERATOR)[0] == "True", seconds=SOON)


def test_a_change_in_git_is_followed(flux: Fleet, stack: Starter, run: Run) -> None:
    before = flux.owned("pods")
    flux.follow(flux.push(flux.stack.replace("suspend: false\n      size:", "values: {workers: 2}\n      size:")))
    assert flux.live()["spec"]["components"][0]["values"] == {"workers": 2}
    assert stack.condition("Ready")["status"] == "True"
    assert flux.owned("pods") - before, "MLflow was started anew"
    assert stack.metric_in_postgres(run.run_id) == run.metric


def test_a_refused_change_is_told_and_nothing_stops(flux: Fleet, stack: Starter, run: Run) -> None:
    flux.assert_refused(flux.stack.replace("profile: starter", "profile: nonsense"), "spec.profile: ")
    assert stack.artifact_in_s3(run) == b"kept"
    flux.healthy()


def test_out_of_git_it_goes_and_its_volumes_stay(flux: Fleet, stack: Starter) -> None:
    volumes = flux.owned("persistentvolumeclaims")
    assert volumes
    flux.follow(flux.push(None))
    eventually(flux.absent, seconds=180)
    assert flux.owned("deployments,services") == set()
    assert flux.owned("persistentvolumeclaims") == volumes
