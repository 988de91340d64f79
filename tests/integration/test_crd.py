"""The CRD on a real API server: what it takes, what it adds, what it refuses and with which words."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from aistack.api.crd import STACKS
from aistack.api.parse import parse_stack
from aistack.api.spec import status_manifest
from aistack.api.status import AIStackStatus, ComponentPhase, ComponentStatus, EdgeState, EdgeStatus, Footprint
from aistack.errors import SpecError
from tests.bad_stacks import BAD_STACKS, BadStack, stack
from tests.cluster.controlplane import ControlPlane
from tests.journey.kube import Kube

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
GITOPS = ROOT / "examples" / "gitops" / "stack.yaml"
EXAMPLES = sorted([*(ROOT / "examples").glob("*.yaml"), GITOPS])
DEFAULTS: dict[str, Any] = {
    "size": "small",
    "readiness": "Health",
    "deletionPolicy": "Retain",
    "drift": "Enforce",
    "suspend": False,
}
COMPONENT_DEFAULTS: dict[str, Any] = {"enabled": True, "suspend": False}
IMAGES_DEFAULTS: dict[str, Any] = {"pullPolicy": "IfNotPresent"}


class Kubectl:
    """kubectl against the control plane, as a user runs it."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._base = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)]

    def try_(self, *arguments: str, send: object = None) -> subprocess.CompletedProcess[str]:
        """Run it; ``send`` goes to its input as JSON."""
        text = "" if send is None else json.dumps(send)
        return subprocess.run([*self._base, *arguments], input=text, capture_output=True, text=True, check=False)

    def __call__(self, *arguments: str, send: object = None) -> str:
        """Run it and return its output; it must succeed."""
        done = self.try_(*arguments, send=send)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, *arguments: str, send: object = None) -> Any:
        """Run it and return the object it prints."""
        return json.loads(self(*arguments, "-o", "json", send=send))

    def refuse(self, *arguments: str, send: object = None) -> str:
        """Run it and return what it complains about; it must fail."""
        done = self.try_(*arguments, send=send)
        assert done.returncode != 0, f"was taken: {done.stdout}"
        return done.stderr


@pytest.fixture(scope="module")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    run = Kubectl(control_plane)
    Kube(control_plane.kubectl, control_plane.kubeconfig).define(ROOT / "crds" / STACKS.file)
    return run


def with_defaults(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec with what the field descriptions promise to add, and nothing else."""
    spec = DEFAULTS | copy.deepcopy(spec)
    if "components" in spec:
        spec["components"] = [COMPONENT_DEFAULTS | component for component in spec["components"]]
    if "images" in spec:
        spec["images"] = IMAGES_DEFAULTS | spec["images"]
    return spec


def test_the_crd_is_established_and_structural(kubectl: Kubectl) -> None:
    conditions = {c["type"]: c["status"] for c in kubectl.read("get", "crd", STACKS.name)["status"]["conditions"]}

    assert conditions == {"NamesAccepted": "True", "Established": "True"}


def test_applying_the_crd_again_changes_nothing(kubectl: Kubectl) -> None:
    before = kubectl.read("get", "crd", STACKS.name)["metadata"]["generation"]

    kubectl("apply", "--server-side", "-f", str(ROOT / "crds" / STACKS.file))

    assert kubectl.read("get", "crd", STACKS.name)["metadata"]["generation"] == before


@pytest.mark.parametrize(
    "how", [pytest.param((), id="client-side"), pytest.param(("--server-side",), id="server-side")]
)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_lose_nothing_and_gain_only_defaults(kubectl: Kubectl, example: Path, how: tuple[str, ...]) -> None:
    manifest = yaml.safe_load(example.read_text())
    try:
        kubectl("apply", *how, "-f", str(example))
        live = kubectl.read("get", "ais", manifest["metadata"]["name"])
    finally:
        kubectl("delete", "ais", manifest["metadata"]["name"], "--ignore-not-found")

    assert live["spec"] == with_defaults(manifest["spec"])
    assert live["status"] == {"observedGeneration": -1}
    assert parse_stack(live).spec == parse_stack(manifest).spec


def test_the_examples_for_gitops_have_nothing_added(kubectl: Kubectl) -> None:
    manifest = yaml.safe_load(GITOPS.read_text())

    assert kubectl.read("create", "--dry-run=server", "-f", "-", send=manifest)["spec"] == manifest["spec"]


@pytest.mark.parametrize("bad", BAD_STACKS, ids=lambda bad: bad.id)
def test_kubectl_apply_refuses_bad_input(kubectl: Kubectl, bad: BadStack) -> None:
    complaint = kubectl.refuse("apply", "-f", "-", send=bad.manifest)

    assert all(fragment in complaint for fragment in bad.server), complaint


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        pytest.param(
            "{profile: starter, storage: {className: fast}}",
            "{profile: starter, storage: {className: slow}}",
            "spec.storage.className: Invalid value",
            id="storage-class-of-the-stack-changed",
        ),
        pytest.param(
            "{profile: starter, storage: {className: fast}}",
            "{profile: starter}",
            "spec.storage.className: Invalid value",
            id="storage-class-of-the-stack-removed",
        ),
        pytest.param(
            "{components: [{name: a}, {name: b, storage: {className: fast}}]}",
            "{components: [{name: b, storage: {className: slow}}, {name: a}]}",
            "spec.components[0].storage.className: Invalid value",
            id="storage-class-of-a-component-changed-at-another-place-of-the-list",
        ),
        pytest.param(
            "{components: [{name: b, storage: {className: fast}}]}",
            "{components: [{name: b}]}",
            "spec.components[0].storage.className: Invalid value",
            id="storage-class-of-a-component-removed",
        ),
        pytest.param(
            "{components: [{name: a}, {name: b, storage: {size: 20Gi}}]}",
            "{components: [{name: b, storage: {size: 20480M}}, {name: a}]}",
            "spec.components[0].storage.size: Invalid value: can't shrink",
            id="volume-shrunk-a-little-at-another-place-of-the-list",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused_and_says_why(
    kubectl: Kubectl, before: str, after: str, complaint: str
) -> None:
    kubectl("apply", "--server-side", "-f", "-", send=stack("fixed", before))
    try:
        for verb in (("apply", "--server-side"), ("replace",)):
            said = kubectl.refuse(*verb, "-f", "-", send=stack("fixed", after))
            # Kubernetes 1.35 and newer quote the value, older ones its type.
            assert complaint in re.sub(r'(Invalid value: )"[^"]*": ', r"\1", said)
    finally:
        kubectl("delete", "ais", "fixed")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "{components: [{name: a, storage: {size: 20Gi}}]}",
            "{components: [{name: a, storage: {size: 20480Mi}}]}",
            id="volume-size-in-another-unit",
        ),
        pytest.param(
            "{components: [{name: a, storage: {size: 900Gi}}]}",
            "{components: [{name: a, storage: {size: 1.5Ti}}]}",
            id="volume-grown",
        ),
        pytest.param("{profile: starter}", "{profile: other}", id="profile-changed"),
        pytest.param(
            "{profile: starter}",
            "{profile: starter, storage: {className: fast}}",
            id="storage-class-set-for-the-first-time",
        ),
        pytest.param(
            "{components: [{name: a}, {name: b, storage: {className: fast, size: 20Gi}}]}",
            "{components: [{name: a}]}",
            id="component-with-a-volume-removed",
        ),
    ],
)
def test_what_can_be_changed_is_taken(kubectl: Kubectl, before: str, after: str) -> None:
    kubectl("create", "-f", "-", send=stack("free", before))
    try:
        kubectl("replace", "-f", "-", send=stack("free", after))
    finally:
        kubectl("delete", "ais", "free")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("create",), id="create"),
        pytest.param(("apply",), id="client-side-apply"),
        pytest.param(("apply", "--server-side"), id="server-side-apply"),
    ],
)
@pytest.mark.parametrize(
    ("values", "path"),
    [
        pytest.param("{workers: null}", ".workers", id="setting"),
        pytest.param("{server: {hosts: [a, {b: null}]}}", ".server.hosts[1].b", id="deep"),
    ],
)
def test_a_null_in_values_is_never_lost(kubectl: Kubectl, arguments: tuple[str, ...], values: str, path: str) -> None:
    kubectl(*arguments, "-f", "-", send=stack("nulls", f"{{components: [{{name: mlflow, values: {values}}}]}}"))
    try:
        live = kubectl.read("get", "ais", "nulls")
    finally:
        kubectl("delete", "ais", "nulls")

    with pytest.raises(SpecError) as refused:
        parse_stack(live)
    assert refused.value.field == f"spec.components[mlflow].values{path}"


def test_appliers_own_single_components(kubectl: Kubectl) -> None:
    for manager, name in (("team-a", "mlflow"), ("team-b", "postgres")):
        spec = f"{{components: [{{name: {name}, size: large}}]}}"
        kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", send=stack("shared", spec))
    live = kubectl.read("get", "ais", "shared")
    kubectl("delete", "ais", "shared")

    assert {component["name"] for component in live["spec"]["components"]} == {"mlflow", "postgres"}


@pytest.mark.parametrize(
    ("field", "teaches"),
    [
        pytest.param("aistack", "installed, wired to each other and kept so", id="kind"),
        pytest.param("aistack.spec", "The shortest useful one is 'profile: starter'", id="spec"),
        pytest.param("aistack.spec.components", "Name in the catalog ('aistack catalog' lists them)", id="components"),
        pytest.param("aistack.spec.components.values", "an explicit null is refused", id="values"),
        pytest.param("aistack.spec.components.storage", "and never shrink", id="storage"),
        pytest.param("aistack.spec.deletionPolicy", "Deleting the namespace removes them in any case", id="deletion"),
        pytest.param("aistack.spec.scheduling.tolerations", "every taint if not set", id="tolerations"),
        pytest.param("aistack.status.edges", "Component that uses the binding", id="edges"),
    ],
)
def test_kubectl_explain_teaches(kubectl: Kubectl, field: str, teaches: str) -> None:
    text = " ".join(kubectl("explain", field).split())

    assert teaches in text


@pytest.mark.parametrize("part", ["spec", "status"])
def test_kubectl_explain_shows_every_field(kubectl: Kubectl, part: str) -> None:
    expected = (Path(__file__).parent / "expected" / f"explain-{part}.txt").read_text()

    assert kubectl("explain", f"aistack.{part}", "--recursive") == expected


def test_kubectl_get_prints_the_columns_within_eighty_characters(kubectl: Kubectl) -> None:
    status = AIStackStatus(
        observed_generation=1,
        message="waits for mlflow",
        components_ready="3/4",
        components=(ComponentStatus(name="mlflow", phase=ComponentPhase.PROGRESSING),),
        edges=(EdgeStatus(consumer="mlflow", provider="postgres", contract="postgres", state=EdgeState.UNPROVEN),),
        footprint=Footprint(cpu="1500m", memory="1700Mi", storage="30Gi", pods=5),
    )
    ready = {"type": "Ready", "status": "False", "reason": "Progressing", "message": "waits for mlflow"}
    ready["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    patch = {"status": {**status_manifest(status), "conditions": [ready]}}
    kubectl("create", "-f", "-", send=stack("columns", "{profile: starter}"))
    try:
        kubectl("patch", "ais", "columns", "--subresource=status", "--type=merge", "-p", json.dumps(patch))
        header, row = kubectl("get", "ais", "columns").splitlines()
        wide = kubectl("get", "ai", "-o", "wide").splitlines()[0]
    finally:
        kubectl("delete", "ais", "columns")

    assert header.split() == ["NAME", "READY", "COMPONENTS", "PROFILE", "AGE", "MESSAGE"]
    assert row.split()[:4] == ["columns", "False", "3/4", "starter"]
    assert row.endswith("waits for mlflow")
    assert len(row) <= 80
    assert wide.split()[-5:] == ["PROVEN", "SIZE", "CPU", "MEMORY", "STORAGE"]


def test_a_status_is_written_without_touching_the_spec(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", send=stack("halves", "{profile: starter}"))
    patch = json.dumps({"spec": {"profile": "other"}, "status": {"message": "hello"}})
    try:
        kubectl("patch", "ais", "halves", "--subresource=status", "--type=merge", "-p", patch)
        live = kubectl.read("get", "ais", "halves")
    finally:
        kubectl("delete", "ais", "halves")

    assert live["status"]["message"] == "hello"
    assert live["spec"]["profile"] == "starter"
    assert live["metadata"]["generation"] == 1
