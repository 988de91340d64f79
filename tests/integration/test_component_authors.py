"""docs/component-authors.md from its push on: a real API server, an operator, and a registry on loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.authors import EXAMPLE, RECORDING, Step, record, say, steps
from tests.chart.helm import use as use_helm
from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.integration.kubelet import Kubelet
from tests.integration.pieces.world import SYSTEM, USER, grant
from tests.integration.test_operator import log_of
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator
from tests.oci import registry

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NAMESPACE = "ml"
SOON = 90.0


@dataclass(frozen=True)
class Reader:
    """Who follows the page: a folder, a cluster, a registry."""

    folder: Path
    kube: Kube
    host: str

    def types(self, step: Step) -> str:
        """Type a command, and return what it says."""
        programs = f"{self.kube.kubectl.parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": programs, "KUBECONFIG": str(self.kube.kubeconfig)}
        return say(step, self.folder, environment, self.host)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A cluster of its own, as the operator serves all namespaces."""
    use_helm()
    shutil.copytree(EXAMPLE, tmp_path / EXAMPLE.name)
    with ControlPlane(tmp_path / "plane") as plane, registry(tmp_path / "registry") as there:
        kube = Kube(plane.kubectl, plane.kubeconfig)
        kube.define(ROOT / "crds")
        kube.run("create", "namespace", SYSTEM)
        grant(kube)
        operator = Daemon("operator", tmp_path)
        start_operator(operator, plane.kubeconfig_for(USER), "--namespace", SYSTEM)
        try:
            with Kubelet(plane, [NAMESPACE]).playing():
                yield Reader(tmp_path, kube, there.host)
        finally:
            operator.stop()
            print(log_of(operator)[-3000:])


def test_each_command_says_what_the_page_shows(reader: Reader) -> None:
    shown, said = [], []
    for step in steps("on a cluster"):
        shown.append((step.command, step.said))
        said.append((step.command, reader.types(step)))
    if RECORDING:
        record([Step(*pair) for pair in said], "on a cluster")
    assert said == shown or RECORDING
    made = eventually(lambda: reader.kube.json("-n", NAMESPACE, "get", "deployment", "demo-label-studio"), SOON)
    variables = {v["name"]: v for v in made["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert variables["POSTGRE_HOST"]["valueFrom"]["secretKeyRef"]["name"] == "demo-label-studio-postgres-1"
    assert variables["STORAGE_AWS_BUCKET_NAME"]["valueFrom"]["secretKeyRef"]["name"] == "demo-label-studio-s3-1"
