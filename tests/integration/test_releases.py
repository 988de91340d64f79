"""Releases on a real API server: a stack stays with the one that it runs, and goes on when its spec says so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.integration.test_operator import log_of
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator
from tests.registry import FakeRegistry, fake_registry_beside
from tests.toy import TOY, toy_copy

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SYSTEM, NAMESPACE = "releases-system", "releases"
API = "aistack.dev/v1alpha1"
SOON = 30


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """A control plane of its own: the operator serves all namespaces."""
    with ControlPlane(tmp_path_factory.mktemp("releases") / "plane") as plane:
        kube = Kube(plane.kubectl, plane.kubeconfig)
        kube.define(ROOT / "crds")
        for namespace in (SYSTEM, NAMESPACE):
            kube.run("create", "namespace", namespace)
        yield kube


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry_beside() as registry:
        yield registry


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The toy, a version later: the database is another one."""
    root = toy_copy(tmp_path)
    file = root / "components" / "db" / "component.yaml"
    text = file.read_text().replace('versions: ["2", "1"]', 'versions: ["3", "2"]').replace("tag: 2.0-1", "tag: 3.0-1")
    file.write_text(text)
    return root


def aistack(kube: Kube, *words: str) -> str:
    """Run the command line as an administrator, and expect success."""
    command = [sys.executable, "-m", "aistack.cli", *words, "--kubeconfig", str(kube.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def planned(kube: Kube, folder: Path, catalog: Path, name: str, **spec: Any) -> str:
    """Return what `aistack plan` says would change."""
    asked = {"components": [{"name": "db"}], "proofs": {"every": "off"}, **spec}
    metadata = {"name": name, "namespace": NAMESPACE}
    file = folder / "stack.yaml"
    file.write_text(json.dumps({"apiVersion": API, "kind": "AIStack", "metadata": metadata, "spec": asked}))
    words = ["plan", "-f", str(file), "--operator-namespace", SYSTEM, "--catalog", str(catalog), "-o", "json"]
    command = [sys.executable, "-m", "aistack.cli", *words, "--kubeconfig", str(kube.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 2), done.stderr
    return done.stdout


def ask(kube: Kube, name: str, **spec: Any) -> None:
    """Make or change a stack."""
    asked = {"components": [{"name": "db"}], "proofs": {"every": "off"}, **spec}
    metadata = {"name": name, "namespace": NAMESPACE}
    kube.apply({"apiVersion": API, "kind": "AIStack", "metadata": metadata, "spec": asked})


def runs(kube: Kube, name: str) -> tuple[str, str]:
    """Return the release that a stack runs as its status says, and the tag of its database's image."""
    deployment = kube.json("-n", NAMESPACE, "get", "deployment", f"{name}-db")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    status = kube.json("-n", NAMESPACE, "get", "aistack", name)["status"]
    return status.get("release", ""), image.rpartition(":")[2]


def test_a_stack_stays_with_its_release_until_its_spec_says_otherwise(
    kube: Kube, registry: FakeRegistry, later: Path, tmp_path: Path
) -> None:
    reference = registry.reference("release:0.0.9")
    pushed = aistack(kube, "release", "build", reference, "--name", "0.0.9", "--catalog", str(TOY)).splitlines()[-1]
    assert "spec.release: 0.0.9" in aistack(kube, "release", "install", pushed, "--operator-namespace", SYSTEM)

    daemon = Daemon("operator", tmp_path)
    start_operator(daemon, kube.kubeconfig, "--namespace", SYSTEM, "--catalog", str(later))
    try:
        ask(kube, "demo", release="0.0.9")
        eventually(lambda: runs(kube, "demo") == ("0.0.9", "2.0-1"), SOON)
        ask(kube, "demo")
        ask(kube, "new")
        eventually(lambda: runs(kube, "new")[1] == "3.0-1", SOON)
        own = runs(kube, "new")[0]
        assert runs(kube, "demo") == ("0.0.9", "2.0-1"), "nothing asked it to go on"

        daemon.stop()
        start_operator(daemon, kube.kubeconfig, "--namespace", SYSTEM, "--catalog", str(later))
        kube.run("-n", NAMESPACE, "delete", "deployment", "demo-db")
        eventually(lambda: runs(kube, "demo") == ("0.0.9", "2.0-1"), SOON)

        listed = json.loads(aistack(kube, "release", "list", "--operator-namespace", SYSTEM, "-o", "json"))
        assert {r["name"]: r["stacks"] for r in listed} == {
            "0.0.9": [f"{NAMESPACE}/demo"],
            own: [f"{NAMESPACE}/new"],
        }
        assert "3.0-1" not in planned(kube, tmp_path, later, "demo"), "it is planned from its own release"
        assert "3.0-1" in planned(kube, tmp_path, later, "demo", release="latest")
        ask(kube, "demo", release="latest")
        eventually(lambda: runs(kube, "demo") == (own, "3.0-1"), SOON)
        ask(kube, "demo", release="7.0")
        told = "-o=jsonpath={.status.message}"
        waits = "spec.release: no release is named '7.0'; install it"
        eventually(lambda: waits in kube.run("-n", NAMESPACE, "get", "aistack", "demo", told), SOON)
        assert runs(kube, "demo") == (own, "3.0-1"), "what runs stays"
    finally:
        daemon.stop()
        print(log_of(daemon)[-3000:])


def test_a_name_never_changes_its_meaning(kube: Kube, registry: FakeRegistry, later: Path) -> None:
    reference = registry.reference("release:1")
    for root, fits in ((TOY, True), (later, False)):
        aistack(kube, "release", "build", reference, "--name", "1.1.1", "--catalog", str(root))
        command = [sys.executable, "-m", "aistack.cli", "release", "install", reference, "--operator-namespace", SYSTEM]
        options = ["--kubeconfig", str(kube.kubeconfig)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode == 0) is fits, done.stderr
    assert "there is another release '1.1.1', and a name never changes its meaning" in done.stderr
