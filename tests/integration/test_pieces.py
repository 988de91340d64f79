"""AIComponents on a real API server: used without a restart, refused whole, and never in the way of others' stacks.

The operator is a process with the rights of its generated roles. Its registry is one inside the test where it has to
lie, and distribution's where it is asked for a login.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from aistack.api.group import API_VERSION, FINALIZER
from aistack.controller.rbac import rules
from aistack.controller.rights import Scope
from aistack.objects.artifact import FOLDER, PIECE, digest_of, parse_reference
from aistack.pieces.artifact import to_artifact
from aistack.pieces.rights import AGGREGATED
from aistack.sources.credentials import Login, Logins
from aistack.sources.oci import Artifact, Blob, push
from aistack.sources.registry import Access
from tests import oci
from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.hello import write_hello
from tests.integration.test_operator import log_of
from tests.journey.kube import Kube, KubeError, eventually
from tests.journey.operator import start_operator
from tests.registry import FakeRegistry, fake_registry_beside, says, silent
from tests.roles import catalog_rights
from tests.toy import TOY
from tests.unit.sources.test_archive import entry, packed

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SYSTEM, NAMESPACE, USER = "aistack-system", "team", "operator"
KINDS = ("Service", "apps/Deployment")
RBAC = "rbac.authorization.k8s.io/v1"
SOON = 20.0
"""Seconds for what takes one or two: the machine may be busy."""


@dataclass
class World:
    """A cluster with an operator, and a registry that can lie."""

    kube: Kube
    registry: FakeRegistry
    operator: Daemon
    login: Path
    scratch: Path
    number: int = field(default=0)

    def start(self) -> None:
        """Start the operator with the rights that the chart would give it."""
        start_operator(self.operator, self.login, "--namespace", SYSTEM, "--catalog", str(TOY))

    # ------------------------------------------------------------------ what an author does

    def folder(self, name: str, contract: str = "", **changed: str) -> Path:
        """Write a component's folder."""
        self.number += 1
        return write_hello(self.scratch / str(self.number), contract, name, **changed)

    def push(self, folder: Path | Artifact, name: str = "piece") -> str:
        """Push a folder, and return its pinned reference."""
        artifact = folder if isinstance(folder, Artifact) else to_artifact(folder)
        reference = parse_reference(self.registry.reference(f"{name}:1"))
        return str(reference.pinned(asyncio.run(push(reference, artifact))))

    # ------------------------------------------------------------------ what an administrator does

    def install(self, name: str, artifact: str, kinds: tuple[str, ...] = KINDS, **spec: Any) -> None:
        """Make or change an AIComponent."""
        asked = {"artifact": artifact, "kinds": list(kinds), **spec}
        self.kube.apply({"apiVersion": API_VERSION, "kind": "AIComponent", "metadata": {"name": name}, "spec": asked})

    def piece(self, name: str) -> dict[str, Any]:
        """Return an AIComponent."""
        return dict(self.kube.json("get", "aicomponent", name))

    def said(self, name: str, condition: str = "Ready") -> tuple[str, str, str]:
        """Return a condition of an AIComponent of this generation: status, reason, message."""
        live = self.piece(name)
        status = live.get("status", {})
        assert status.get("observedGeneration") == live["metadata"]["generation"], status
        found = next(c for c in status["conditions"] if c["type"] == condition)
        return found["status"], found["reason"], found["message"]

    def ready(self, name: str) -> float:
        """Wait until an AIComponent can be used, and return the seconds."""
        started = time.monotonic()
        eventually(lambda: self._can_be_used(name), SOON, pause=0.1)
        return time.monotonic() - started

    def _can_be_used(self, name: str) -> bool:
        said = self.said(name)
        assert said[0] == "True", said
        return True

    def refused(self, name: str, told: str, reason: str, condition: str = "Stalled", seconds: float = SOON) -> str:
        """Wait until an AIComponent is refused."""
        eventually(lambda: told in self.said(name)[2], seconds, pause=0.1)
        assert self.said(name)[:2] == ("False", reason)
        assert self.said(name, condition)[0] == "True"
        return self.said(name)[2]

    def remove(self, *names: str) -> None:
        """Delete AIComponents, and wait until they are gone."""
        self.kube.run("delete", "aicomponent", *names, "--timeout=30s")

    # ------------------------------------------------------------------ what a team does

    def stack(self, name: str, *components: str, **spec: Any) -> None:
        """Make or change a stack."""
        asked = {"components": [{"name": component} for component in components], **spec}
        metadata = {"name": name, "namespace": NAMESPACE}
        self.kube.apply({"apiVersion": API_VERSION, "kind": "AIStack", "metadata": metadata, "spec": asked})

    def stack_status(self, name: str) -> dict[str, Any]:
        """Return a stack's status."""
        return dict(self.kube.json("-n", NAMESPACE, "get", "aistack", name).get("status", {}))

    def tells(self, name: str, message: str) -> None:
        """Wait until a stack's status says something."""
        eventually(lambda: message in self.stack_status(name).get("message", ""), SOON)

    def runs(self, name: str, kind: str = "deployment") -> dict[str, Any]:
        """Wait for an object of a stack."""
        return dict(eventually(lambda: self.kube.json("-n", NAMESPACE, "get", kind, name), SOON, pause=0.1))

    def end(self, *stacks: str) -> None:
        """Delete stacks, and wait until they are gone."""
        self.kube.run("-n", NAMESPACE, "delete", "aistack", *stacks, "--timeout=60s")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A control plane of its own, as the operator serves all namespaces."""
    folder = tmp_path_factory.mktemp("pieces")
    with ControlPlane(folder / "plane") as plane, fake_registry_beside() as registry:
        kube = Kube(plane.kubectl, plane.kubeconfig)
        kube.define(ROOT / "crds")
        for namespace in (SYSTEM, NAMESPACE):
            kube.run("create", "namespace", namespace)
        grant(kube)
        world = World(kube, registry, Daemon("operator", folder), plane.kubeconfig_for(USER), folder)
        world.start()
        try:
            yield world
        finally:
            world.operator.stop()
            print(log_of(world.operator)[-5000:])


def grant(kube: Kube) -> None:
    """Give the operator what the chart gives it, and what is labelled for it."""
    role: dict[str, Any] = {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": "operator"}}
    kube.apply({**role, "rules": rules(catalog_rights(), [Scope.SERVED, Scope.CLUSTER, Scope.OWN])})
    selector = {"clusterRoleSelectors": [{"matchLabels": {AGGREGATED: "true"}}]}
    kube.apply({**role, "metadata": {"name": "operator-granted"}, "aggregationRule": selector})
    for name in ("operator", "operator-granted"):
        kube.run("create", "clusterrolebinding", name, f"--clusterrole={name}", f"--user={USER}")


# ---------------------------------------------------------------------- the good case


def test_a_piece_is_used_without_a_restart_and_nobody_else_notices(world: World) -> None:
    world.stack("before", "db", proofs={"every": "off"})
    world.runs("before-db")
    eventually(lambda: world.stack_status("before").get("observedGeneration") == 1, SOON)
    time.sleep(1)
    before = world.kube.json("-n", NAMESPACE, "get", "aistack", "before")["metadata"]["resourceVersion"]

    world.install("mine", world.push(world.folder("hello")))
    print(f"usable after {world.ready('mine'):.1f} s")
    status = world.piece("mine")["status"]
    told = {"about": "Counts visitors in a database of its own.", "provides": [], "requires": [], "tier": ""}
    assert status["components"] == [{"name": "hello", "version": "1.0", **told}]
    assert status["message"] == "stacks can use components/hello"

    world.stack("demo", "hello")
    assert world.runs("demo-hello")["spec"]["template"]["spec"]["containers"][0]["name"] == "hello"
    eventually(lambda: world.piece("mine")["status"].get("usedBy") == [f"{NAMESPACE}/demo"], SOON)
    after = world.kube.json("-n", NAMESPACE, "get", "aistack", "before")["metadata"]["resourceVersion"]
    assert after == before, "the other stack wasn't touched"

    world.kube.run("delete", "aicomponent", "mine", "--wait=false")
    eventually(lambda: world.said("mine")[1] == "InUse", SOON)
    assert f"can't go while it is used by {NAMESPACE}/demo: take what it brings out of them" in world.said("mine")[2]
    assert world.said("mine", "Stalled")[0] == "True"
    assert FINALIZER in world.piece("mine")["metadata"]["finalizers"]
    world.end("demo")
    eventually(lambda: "mine" not in world.kube.run("get", "aicomponents", "-o", "name"), SOON)

    world.stack("late", "hello")
    world.tells("late", "no component is named 'hello'")
    world.end("late", "before")


def test_a_stack_that_was_there_first_gets_what_it_asks_for_once_it_comes(world: World) -> None:
    world.stack("early", "soon")
    world.tells("early", "no component is named 'soon'")
    world.install("soon", world.push(world.folder("soon")))
    world.runs("early-soon")
    world.end("early")
    world.remove("soon")


def test_a_new_artifact_reaches_its_stacks_and_a_bad_one_leaves_the_former(world: World) -> None:
    world.install("moving", world.push(world.folder("moving")))
    world.stack("demo", "moving")
    assert greeting(world.runs("demo-moving")) == "hello"
    good = world.push(world.folder("moving", **{'"default": "hello"': '"default": "bonjour"'}))
    world.install("moving", good)
    eventually(lambda: greeting(world.runs("demo-moving")) == "bonjour", SOON)

    world.install("moving", world.push(world.folder("moving", **{"kind: Service": "kind: Endpoints"})))
    told = world.refused("moving", "makes a Endpoints", "InvalidArtifact")
    assert told.endswith(f"until then {good} stays in use")
    world.install("moving", world.push(world.folder("other")))
    world.refused("moving", f"no longer brings components/moving, which {NAMESPACE}/demo use", "InvalidSpec")
    assert greeting(world.runs("demo-moving")) == "bonjour"
    assert "hello" not in world.stack_status("demo")["message"]

    world.install("moving", good)
    world.ready("moving")
    world.end("demo")
    world.remove("moving")


def greeting(deployment: Mapping[str, Any]) -> str:
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return next(str(e["value"]) for e in container["env"] if e["name"] == "GREETING")


def test_a_restart_needs_no_registry(world: World) -> None:
    world.install("kept", world.push(world.folder("kept"), "kept"))
    world.ready("kept")
    world.stack("demo", "kept")
    world.runs("demo-kept")
    with away(world, "kept"):
        world.operator.stop()
        world.kube.run("-n", NAMESPACE, "delete", "deployment", "demo-kept")
        world.start()
        world.runs("demo-kept")
        assert "AIComponent" not in world.stack_status("demo")["message"]
        assert world.said("kept")[0] == "True"
        assert not [line for line in world.registry.asked if "kept" in line]
    world.end("demo")
    world.remove("kept")


def test_a_stack_waits_for_a_piece_that_is_lost_and_keeps_what_runs(world: World) -> None:
    world.install("lost", world.push(world.folder("lost"), "lost"))
    world.ready("lost")
    world.stack("demo", "lost")
    world.runs("demo-lost")
    with away(world, "lost"):
        world.operator.stop()
        world.kube.run("-n", SYSTEM, "delete", "configmap", "piece.lost")
        world.start()
        world.kube.run("-n", NAMESPACE, "annotate", "aistack", "demo", "x=y")
        world.tells("demo", "components/lost can't be used yet: the AIComponent lost: ")
        world.runs("demo-lost")
    eventually(lambda: world.said("lost")[0] == "True", 60)
    eventually(lambda: "can't be used" not in world.stack_status("demo")["message"], SOON)
    world.end("demo")
    world.remove("lost")


@contextmanager
def away(world: World, name: str) -> Iterator[None]:
    """Have the registry fail for some repository."""
    world.registry.asked.clear()
    lies = {ending: world.registry.lies.get(ending) for ending in world.registry.manifests}
    answer = says(b"", 500)
    world.registry.lies |= {f"{name}/manifests/{digest}": answer for digest in lies if digest.startswith("sha256:")}
    try:
        yield
    finally:
        world.registry.lies.clear()


# ---------------------------------------------------------------------- what is refused


def spoilt(world: World, spoil: str) -> str:
    """Push something that can't be used, and return its reference."""
    good = to_artifact(world.folder("hostile")).layers[0]
    match spoil:
        case "parent":
            return world.push(Artifact(PIECE, (Blob(FOLDER, packed(entry("components/../../x"))),)))
        case "link":
            link = entry("components", kind=b"2", link="/etc")
            return world.push(Artifact(PIECE, (Blob(FOLDER, packed(link)),)))
        case "bomb":
            return world.push(Artifact(PIECE, (Blob(FOLDER, packed(entry("components/x", bytes(64 * 2**20)))),)))
        case "an image":
            return world.push(Artifact("application/vnd.oci.image.config.v1+json", (good,)))
        case "two gigabytes":
            manifest = json.loads(Artifact(PIECE, (good,)).manifest())
            manifest["layers"][0]["size"] = 2 * 2**30
            raw = json.dumps(manifest).encode()
            world.registry.manifests[digest_of(raw)] = raw
            return world.registry.reference(f"piece@{digest_of(raw)}")
        case "another manifest":
            reference = world.push(Artifact(PIECE, (good,), annotations={"a": "b"}))
            world.registry.lies[f"piece/manifests/{parse_reference(reference).digest}"] = says(b"{}")
            return reference
        case _:
            return world.registry.reference(f"gone@sha256:{'1' * 64}")


REFUSED = {
    "parent": ("which leads out of the folder", "InvalidArtifact", "Stalled"),
    "link": ("which is a symbolic link", "InvalidArtifact", "Stalled"),
    "bomb": ("unpacks to more than 4194304 bytes", "InvalidArtifact", "Stalled"),
    "an image": ("not application/vnd.aistack.piece.v1; name one that", "InvalidArtifact", "Stalled"),
    "two gigabytes": ("bytes, 716800 are allowed; leave out", "InvalidArtifact", "Stalled"),
    "another manifest": ("the registry sent another manifest", "InvalidArtifact", "Stalled"),
    "nothing": ("the registry answers 404", "Waiting", "Reconciling"),
}


@pytest.mark.parametrize("spoil", REFUSED)
def test_what_cannot_be_trusted_is_refused_with_cause_and_remedy(world: World, spoil: str) -> None:
    told, reason, condition = REFUSED[spoil]
    world.install("hostile", spoilt(world, spoil))
    assert "; " in world.refused("hostile", told, reason, condition)

    status = world.piece("hostile")["status"]
    assert not status.get("components"), "nothing of it is there"
    assert "piece.hostile" not in world.kube.run("-n", SYSTEM, "get", "configmaps", "-o", "name")
    assert world.operator.alive
    world.registry.lies.clear()
    world.remove("hostile")


def test_a_registry_that_says_nothing_holds_up_nobody(world: World) -> None:
    slow = world.push(world.folder("slow"), "slow")
    world.registry.lies[f"slow/manifests/{parse_reference(slow).digest}"] = silent
    world.install("slow", slow)
    world.install("quick", world.push(world.folder("quick")))
    assert world.ready("quick") < SOON
    world.refused("slow", "the registry took longer than 20 s", "Waiting", "Reconciling", seconds=40)

    world.registry.lies.clear()
    eventually(lambda: world.said("slow")[0] == "True", 30)
    world.remove("slow", "quick")


def test_of_two_of_one_name_the_first_stays_and_the_second_comes_when_it_goes(world: World) -> None:
    world.install("one", world.push(world.folder("twin")))
    world.ready("one")
    world.install("two", world.push(world.folder("twin", **{"title: Hello": "title: Twin"})))
    world.refused(
        "two", "components/twin is brought by the AIComponent one already; delete that one", "InvalidArtifact"
    )
    assert world.said("one")[0] == "True"

    world.remove("one")
    world.ready("two")
    world.remove("two")


def test_a_name_of_the_catalog_is_taken_only_where_it_is_said(world: World) -> None:
    web = world.push(world.folder("web"))
    world.install("web", web)
    world.refused("web", "components/web is in the catalog already; write spec.replaces", "InvalidArtifact")
    world.install("web", web, replaces=["components/web"])
    world.ready("web")
    world.stack("demo", "web")
    assert world.runs("demo-web")["spec"]["template"]["spec"]["containers"][0]["name"] == "hello"
    world.end("demo")
    world.remove("web")


def test_a_contract_comes_before_those_that_need_it_and_goes_after_them(world: World) -> None:
    world.install("user", world.push(world.folder("user", "seam")))
    world.refused("user", "there is no contract 'seam'", "InvalidArtifact")
    seam = world.scratch / "seam" / "contracts" / "seam"
    seam.mkdir(parents=True)
    for file in (TOY / "contracts" / "sql").iterdir():
        (seam / file.name).write_text(file.read_text().replace("name: sql", "name: seam"))
    provider = world.folder("source")
    component = provider / "components" / "source" / "component.yaml"
    described = yaml.safe_load(component.read_text())
    described["workloads"]["server"]["ports"] = {"http": {"port": 8080, "contract": "seam"}}
    described["provides"] = [
        {
            "contract": "seam",
            "workload": "server",
            "port": "http",
            "admin": {"database": "a", "username": "b", "password": {"generate": {"length": 32}}},
        }
    ]
    del described["pages"]
    component.write_text(yaml.safe_dump(described))
    (provider / "contracts").mkdir()
    seam.rename(provider / "contracts" / "seam")
    world.install("seam", world.push(provider))
    world.ready("seam")
    world.ready("user")

    world.kube.run("delete", "aicomponent", "seam", "--wait=false")
    eventually(lambda: "AIComponent user" in world.said("seam")[2], SOON)
    world.remove("user")
    eventually(lambda: "seam" not in world.kube.run("get", "aicomponents", "-o", "name"), SOON)


BUDGET = """---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ name() }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{ selector("server") }}
"""
BINDING = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ name() }}
"""


def with_template(folder: Path, name: str, text: str) -> Path:
    (folder / "components" / name / "templates" / "more.yaml.j2").write_text(text)
    return folder


def test_kinds_beyond_the_declaration_and_beyond_the_operators_role_are_named(world: World) -> None:
    reference = world.push(with_template(world.folder("guarded"), "guarded", BUDGET))
    world.install("guarded", reference)
    told = "makes a policy/PodDisruptionBudget, and declared are Service, apps/Deployment; add it to spec.kinds"
    world.refused("guarded", told, "InvalidArtifact")

    world.install("guarded", reference, (*KINDS, "policy/PodDisruptionBudget"))
    told = world.refused(
        "guarded", "the operator may not create, delete, get, list, patch, watch", "Forbidden", "Reconciling"
    )
    assert "poddisruptionbudgets.policy" in told
    commands = [part.strip() for part in told.split("let it, if you trust it: ")[1].split(";")]
    for command in commands:
        world.kube.run(*command.removeprefix("kubectl ").split())
    eventually(lambda: world.said("guarded")[0] == "True", 40)
    world.stack("demo", "guarded")
    world.runs("demo-guarded", "poddisruptionbudget")
    world.end("demo")
    world.remove("guarded")


def test_cluster_scoped_kinds_are_refused_whatever_is_declared(world: World) -> None:
    folder = with_template(world.folder("admin"), "admin", BINDING)
    world.install("admin", world.push(folder), (*KINDS, "rbac.authorization.k8s.io/ClusterRoleBinding"))
    world.refused("admin", "makes a ClusterRoleBinding; a stack makes namespaced objects only", "InvalidArtifact")
    world.remove("admin")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"artifact": "r.test/hello:1.0"}, "is no artifact pinned by its digest; write host/path@sha256:..."),
        ({"artifact": f"r.test/../x@sha256:{'0' * 64}"}, "is no artifact pinned by its digest"),
        ({"kinds": ["deployments"]}, "is no kind; write Kind, or group/Kind without version"),
        ({"replaces": ["mlflow"]}, "is no part of the catalog; write components/NAME or contracts/NAME"),
        ({"plainHttp": True, "pullSecretRef": {"name": "x"}}, "would send the login in the clear"),
    ],
)
def test_the_definition_refuses_what_is_wrong_by_itself(world: World, spec: Mapping[str, Any], told: str) -> None:
    asked = {"artifact": f"r.test/hello@sha256:{'0' * 64}", **spec}
    manifest = {"apiVersion": API_VERSION, "kind": "AIComponent", "metadata": {"name": "wrong"}, "spec": asked}
    with pytest.raises(KubeError) as refused:
        world.kube.apply(manifest)
    assert told in str(refused.value)


# ---------------------------------------------------------------------- the command line


def aistack(world: World, *words: str) -> str:
    """Run the command line as an administrator, and expect success."""
    command = [sys.executable, "-m", "aistack.cli", *words, "--catalog", str(TOY)]
    options = ["--kubeconfig", str(world.kube.kubeconfig)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_component_is_pushed_installed_and_listed_with_its_source(world: World) -> None:
    folder = with_template(
        world.folder("typed"),
        "typed",
        BUDGET.replace("policy/v1", "v1").replace("PodDisruptionBudget", "ConfigMap").split("spec:")[0],
    )
    tag = world.registry.reference("typed:1.0")
    pinned = aistack(world, "component", "push", str(folder / "components" / "typed"), tag).strip()
    assert pinned.startswith(f"{tag}@sha256:")

    installed = aistack(world, "component", "install", "typed", tag)
    assert installed == "typed: stacks can use components/typed\n"
    spec = world.piece("typed")["spec"]
    assert spec["artifact"] == pinned
    assert spec["kinds"] == ["ConfigMap", "Service", "apps/Deployment"]
    listed = aistack(world, "catalog", "--cluster")
    row = next(line for line in listed.splitlines() if line.startswith("typed"))
    assert "AIComponent typed" in row
    shown = json.loads(aistack(world, "catalog", "--cluster", "-o", "json"))["brought"]["typed"]
    assert (shown["aicomponent"], shown["artifact"], shown["replaces"]) == ("typed", pinned, False)
    assert f"source     {pinned}" in aistack(world, "catalog", "show", "typed", "--cluster")
    world.remove("typed")


# ---------------------------------------------------------------------- a registry as others run it


def test_a_registry_with_a_login_and_a_private_authority(world: World, tmp_path: Path) -> None:
    with oci.registry(tmp_path, closed=True) as registry:
        reference = parse_reference(registry.reference("team/private:1.0"))
        access = Access(Logins({registry.host: Login(oci.USER, oci.PASSWORD)}), registry.authority)
        artifact = str(reference.pinned(asyncio.run(push(reference, to_artifact(world.folder("private")), access))))

        world.install("private", artifact, pullSecretRef={"name": "registry"})
        world.refused(
            "private", f"there is no Secret 'registry' in namespace {SYSTEM}; make it", "Waiting", "Reconciling"
        )
        secret(world, {"ca.crt": registry.authority})
        world.refused("private", "the registry answers 401", "Waiting", "Reconciling", seconds=40)
        auths = {"auths": {registry.host: {"username": oci.USER, "password": oci.PASSWORD}}}
        secret(world, {"ca.crt": registry.authority, ".dockerconfigjson": json.dumps(auths)})
        eventually(lambda: world.said("private")[0] == "True", 60)
    world.stack("demo", "private")
    world.runs("demo-private")
    world.end("demo")
    world.remove("private")


def secret(world: World, data: Mapping[str, str]) -> None:
    """Write the Secret that opens the registry."""
    metadata = {"name": "registry", "namespace": SYSTEM}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    world.kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})
