"""Flux's own controllers drive the operator and a stack, with the examples as they ship, on a real API server.

The examples are changed in one thing, the address of the Git server. The operator runs with the rights that Flux gave
it; it is a process here, as no pod runs without nodes, and :class:`Kubelet` stands in for them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aistack.settings import OPERATOR_NAMESPACE
from tests.chart.generated import BASE
from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.flux.controllers import Flux
from tests.flux.repository import Repository, git_server
from tests.integration.kubelet import Kubelet
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator

pytestmark = pytest.mark.integration

GITOPS = Path(__file__).parents[2] / "examples" / "gitops"
HOST = "https://git.example.com"
OPERATOR, STACKS = "aistack-operator", "stacks"
NAMESPACE, NAME = "ml", "production"
FILE = "production/stack.yaml"
STACK = (GITOPS / "stack.yaml").read_text("utf-8")
ENTRY = f"AIStack/{NAMESPACE}/{NAME}"
SOON = 60
"""Seconds; the Kustomization would wait 20 min."""


@dataclass(frozen=True)
class World:
    """A cluster that Flux looks after, and the repository of its stacks."""

    kube: Kube
    flux: Flux
    stacks: Repository
    base: Repository
    kubelet: Kubelet
    url: str

    def apply_example(self, name: str) -> None:
        """Apply an example as it is, but for where Git is."""
        text = (GITOPS / "flux" / name).read_text("utf-8")
        assert HOST in text
        self.kube.run("apply", "--server-side", "-f", "-", stdin=text.replace(HOST, self.url))

    def push(self, text: str | None) -> str:
        """Change the stack in Git, or take it out; returns the revision, once Flux has seen it."""
        revision = self.stacks.push({FILE: text})
        self.flux.fetch(STACKS, revision)
        return revision

    def healthy(self, text: str = STACK) -> str:
        """Have the stack in Git and Ready at that revision, whatever was before."""
        revision = self.push(text)
        eventually(lambda: self.flux.ready(STACKS)[::2] == ("True", f"Applied revision: {revision}"), seconds=180)
        return revision

    def live(self) -> dict[str, Any]:
        """The AIStack."""
        return dict(self.kube.json("-n", NAMESPACE, "get", "aistack", NAME, "--show-managed-fields"))

    def condition(self, kind: str) -> dict[str, str]:
        """One of its conditions."""
        return next(c for c in self.live()["status"]["conditions"] if c["type"] == kind)

    def versions(self, kinds: str) -> dict[str, str]:
        """The version of each object of these kinds that the stack has."""
        items = self.kube.json("-n", NAMESPACE, "get", kinds, "-l", f"aistack.dev/stack={NAME}")["items"]
        return {f"{i['kind']}/{i['metadata']['name']}": i["metadata"]["resourceVersion"] for i in items}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The examples, applied to a cluster that has nothing but Flux; the operator comes last."""
    folder = tmp_path_factory.mktemp("flux")
    with ExitStack() as until_the_end:
        plane = until_the_end.enter_context(ControlPlane(folder / "plane"))
        kube = Kube(plane.kubectl, plane.kubeconfig)
        url = until_the_end.enter_context(git_server(folder / "git"))
        flux = until_the_end.enter_context(Flux(kube, folder).running())
        kubelet = until_the_end.enter_context(Kubelet(plane, (NAMESPACE, OPERATOR_NAMESPACE)).playing())
        stacks, base = (Repository.create(folder, f"platform/{name}") for name in ("stacks", "aistack"))
        world = World(kube, flux, stacks, base, kubelet, url)
        install(world)
        until_the_end.callback(run_operator(plane, kube, folder).stop)
        yield world


def install(world: World) -> None:
    """Do what a platform team does; what is applied first has to wait for the rest."""
    world.stacks.push({FILE: STACK, "production/README.md": "Keeps the folder where no stack is left.\n"})
    world.apply_example("stacks.yaml")
    eventually(lambda: world.flux.ready(STACKS)[1] == "DependencyNotReady", seconds=SOON)
    world.base.push({f"charts/kustomize/{path.name}": path.read_text("utf-8") for path in BASE.iterdir()})
    world.apply_example("operator.yaml")


def run_operator(plane: ControlPlane, kube: Kube, folder: Path) -> Daemon:
    """Run the operator once Flux has installed it, as the account that it has there."""
    eventually(lambda: kube.run("-n", OPERATOR_NAMESPACE, "get", "deployment", OPERATOR), seconds=SOON)
    account = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR}"
    daemon = Daemon("operator", folder)
    start_operator(daemon, plane.kubeconfig_for(account, ["system:serviceaccounts"]))
    return daemon


def test_ready_once_the_stack_is_ready_and_proven(world: World) -> None:
    revision = world.healthy()
    assert world.condition("Ready")["status"] == world.condition("Proven")["status"] == "True"
    status = world.flux.status(STACKS)
    assert status["lastAppliedRevision"] == revision
    assert [entry["id"] for entry in status["inventory"]["entries"]] == [f"{NAMESPACE}_{NAME}_aistack.dev_AIStack"]
    assert world.flux.ready(OPERATOR)[0] == "True"


def test_a_change_is_applied_waited_for_and_not_taken_for_a_failure(world: World) -> None:
    world.healthy()
    before = world.versions("deployments")
    world.kubelet.away.set()
    revision = world.push(STACK.replace("size: medium", "size: small"))
    try:
        eventually(lambda: world.condition("Ready")["reason"] == "Progressing", seconds=SOON)
        for _ in range(12):  # Flux looks every 5 s
            assert world.flux.ready(STACKS)[0] == "Unknown", world.flux.ready(STACKS)
            time.sleep(1)
    finally:
        world.kubelet.away.clear()
    eventually(lambda: world.flux.ready(STACKS)[::2] == ("True", f"Applied revision: {revision}"), seconds=180)
    assert world.condition("Ready")["status"] == "True"
    changed = {name for name, version in world.versions("deployments").items() if before[name] != version}
    assert f"Deployment/{NAME}-mlflow" in changed


REFUSED = {
    "by-the-operator": ("profile: starter", "profile: nonsense", "spec.profile: "),
    "by-a-component": ("size: medium", "values: {workers: 0}", "spec.components[mlflow].values.workers: "),
}


@pytest.mark.parametrize(("good", "bad", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refused_stack_fails_soon_and_heals(world: World, good: str, bad: str, message: str) -> None:
    world.healthy()
    running = world.versions("deployments,services,secrets,configmaps")
    started = time.monotonic()
    world.push(STACK.replace(good, bad))
    eventually(lambda: world.flux.ready(STACKS)[1] == "HealthCheckFailed", seconds=SOON)
    print(f"told after {time.monotonic() - started:.1f} s: {world.flux.ready(STACKS)[2]}")
    assert f"failed early due to stalled resources: [{ENTRY} status: 'Failed']" in world.flux.ready(STACKS)[2]
    assert world.condition("Stalled")["status"] == "True"
    assert world.condition("Ready")["message"].startswith(message)
    assert world.versions("deployments,services,secrets,configmaps") == running
    world.healthy()
    assert world.condition("Stalled")["status"] == "False"


MALFORMED = {
    "not-a-choice": ("size: large", "size: enormous", 'spec.size: Unsupported value: "enormous"'),
    "no-such-field": ("size: large", "sizes: large", "sizes: field not declared in schema"),
}


@pytest.mark.parametrize(("good", "bad", "message"), MALFORMED.values(), ids=MALFORMED)
def test_what_the_api_server_refuses_changes_nothing(world: World, good: str, bad: str, message: str) -> None:
    world.healthy()
    before = world.live()["spec"]
    world.push(STACK.replace(good, bad))
    eventually(lambda: world.flux.ready(STACKS)[1] == "ReconciliationFailed", seconds=SOON)
    assert message in world.flux.ready(STACKS)[2]
    assert world.live()["spec"] == before
    world.healthy()


def test_nothing_that_the_operator_writes_is_drift(world: World) -> None:
    world.healthy()
    eventually(lambda: calm(world), seconds=SOON)
    stack, objects = world.live(), world.versions(WRITTEN)
    for _ in range(2):
        world.flux.apply_again(STACKS)
        assert world.flux.applied(STACKS)[-1] == {ENTRY: "unchanged"}
    assert world.live() == stack, "neither Flux nor the operator wrote to it"
    assert world.versions(WRITTEN) == objects
    assert {m["manager"]: m.get("subresource", "") for m in stack["metadata"]["managedFields"]} == {
        "kustomize-controller": "",
        "aistack": "status",
    }
    world.flux.apply_again(OPERATOR)
    assert set(world.flux.applied(OPERATOR)[-1].values()) == {"unchanged"}


WRITTEN = "deployments,services,secrets,configmaps,networkpolicies,persistentvolumeclaims,serviceaccounts,roles"


def calm(world: World) -> bool:
    """Whether the stack and its objects stay as they are for some seconds: Jobs' ends are noted late."""
    before = world.live(), world.versions(WRITTEN)
    time.sleep(3)
    return before == (world.live(), world.versions(WRITTEN))


def test_what_somebody_changes_in_the_cluster_is_put_back(world: World) -> None:
    world.healthy()
    patch = json.dumps({"spec": {"drift": "Enforce"}})
    world.kube.run("-n", NAMESPACE, "patch", "aistack", NAME, "--type=merge", "-p", patch)
    world.flux.apply_again(STACKS)
    assert world.flux.applied(STACKS)[-1] == {ENTRY: "configured"}
    assert world.live()["spec"]["drift"] == "Warn"


def test_taken_out_of_git_it_goes_and_its_data_stays(world: World) -> None:
    world.healthy()
    volumes = owned(world, "persistentvolumeclaims")
    revision = world.push(None)
    eventually(lambda: absent(world), seconds=180)
    eventually(lambda: world.flux.ready(STACKS)[::2] == ("True", f"Applied revision: {revision}"), seconds=SOON)
    assert owned(world, "deployments,services") == set()
    assert volumes
    assert owned(world, "persistentvolumeclaims") == volumes
    keys = owned(world, "secrets")
    assert keys, "else nothing would open the volumes"
    world.healthy()
    assert owned(world, "persistentvolumeclaims") == volumes, "taken up again"
    assert owned(world, "secrets") >= keys


def owned(world: World, kinds: str) -> set[str]:
    """Uids of the objects of these kinds in the stack's namespace."""
    return {i["metadata"]["uid"] for i in world.kube.json("-n", NAMESPACE, "get", kinds)["items"]}


def absent(world: World) -> bool:
    """Whether the AIStack is gone."""
    return not world.kube.json("-n", NAMESPACE, "get", "aistacks")["items"]


def test_a_kustomization_goes_once_its_stacks_are_gone(world: World) -> None:
    world.healthy()
    world.kube.run("-n", "flux-system", "delete", "kustomization", STACKS, "--timeout=170s", timeout=180)
    assert absent(world)
    world.apply_example("stacks.yaml")
    world.healthy()


def test_the_operator_and_its_kinds_outlive_what_installed_them(world: World) -> None:
    world.healthy()
    stack = world.live()["metadata"]["uid"]
    kustomization = "charts/kustomize/kustomization.yaml"
    text = (BASE / "kustomization.yaml").read_text("utf-8")
    world.flux.fetch("aistack", world.base.push({kustomization: text.replace("  - definitions.yaml\n", "")}))
    world.flux.apply_again(OPERATOR)
    world.flux.fetch("aistack", world.base.push({kustomization: text}))
    world.kube.run("-n", "flux-system", "delete", "kustomization", OPERATOR, "--timeout=60s")
    assert world.live()["metadata"]["uid"] == stack
    world.kube.run("-n", OPERATOR_NAMESPACE, "get", "deployment", OPERATOR)
    world.apply_example("operator.yaml")
    eventually(lambda: world.flux.ready(OPERATOR)[0] == "True", seconds=SOON)
