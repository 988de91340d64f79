"""What the doctor makes of what it reads: each finding says what to do, and nothing unknown is called good."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.api.crd import DEFINITIONS, STACKS, crd_manifest
from aistack.api.status import Footprint
from aistack.cli.doctor import api, nodes, place
from aistack.cli.doctor.finding import Finding, Mark

ASKED = Footprint(cpu="500m", memory="2Gi", storage="17Gi", pods=6)
ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}, {"type": "NamesAccepted", "status": "True"}]}


def node(arch: str = "amd64", ready: str = "True", cpu: str = "4", memory: str = "8Gi", **spec: Any) -> dict[str, Any]:
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "nodeInfo": {"architecture": arch},
        "allocatable": {"cpu": cpu, "memory": memory},
        "images": [{"names": ["registry.aistack.dev/a:1", "sha256:x"]}, {"names": None, "sizeBytes": 5}, {}],
    }
    return {"metadata": {"name": "n"}, "spec": spec, "status": status}


def pod(cpu: str, memory: str, phase: str = "Running") -> dict[str, Any]:
    container = {"resources": {"requests": {"cpu": cpu, "memory": memory}}}
    return {"spec": {"containers": [container, {}]}, "status": {"phase": phase}}


def quota(hard: dict[str, str], used: dict[str, str]) -> dict[str, Any]:
    return {"status": {"hard": hard, "used": used}}


def limits(**default: str) -> dict[str, Any]:
    return {"spec": {"limits": [{"type": "Pod", "max": {"cpu": "4"}}, {"type": "Container", "default": default}]}}


def storage_class(name: str, *, default: bool = False, grows: bool = False) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else None
    return {"metadata": {"name": name, "annotations": annotations}, "allowVolumeExpansion": grows}


def definitions(**changes: Any) -> Finding:
    live: dict[str, Any] = {d.kind: {**crd_manifest(d), "status": ESTABLISHED} for d in DEFINITIONS}
    return api.judge_definitions({d: {**live, **changes}[d.kind] for d in DEFINITIONS})


def older() -> dict[str, Any]:
    manifest = {**crd_manifest(STACKS), "status": ESTABLISHED}
    del manifest["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["external"]
    return manifest


FINDINGS: dict[str, tuple[Finding, Mark, str]] = {
    "old-version": (
        api.judge_version({"major": "1", "minor": "29", "gitVersion": "v1.29.4"}),
        Mark.FAIL,
        "v1.29.4 is too old; 1.30 or newer is needed",
    ),
    "version-of-a-cloud": (
        api.judge_version({"major": "1", "minor": "34+", "gitVersion": "v1.34.2-gke"}),
        Mark.OK,
        "gke",
    ),
    "definitions": (definitions(), Mark.OK, "AIBinding, AIComponent, AIStack"),
    "definition-missing": (definitions(AIStack=None), Mark.FAIL, "doesn't know AIStack; aistack crd | kubectl apply"),
    "definition-not-served": (definitions(AIStack=crd_manifest(STACKS)), Mark.FAIL, "AIStack isn't served"),
    "definition-older": (definitions(AIStack=older()), Mark.FAIL, "older than this program: spec.external"),
    "rights": (api.judge_rights("ml", []), Mark.OK, "you may make stacks in namespace ml"),
    "no-rights": (
        api.judge_rights("ml", ["create aistacks"]),
        Mark.WARN,
        "you may not create aistacks in namespace ml",
    ),
    "nodes": (nodes.judge_nodes([node(), node(ready="False")]), Mark.OK, "1 of 2 ready, amd64"),
    "no-nodes": (nodes.judge_nodes([]), Mark.FAIL, "none of 0 is ready"),
    "nodes-cordoned": (nodes.judge_nodes([node(unschedulable=True)]), Mark.FAIL, "none of 1 is ready"),
    "node-of-another-kind": (
        nodes.judge_nodes([node("s390x"), node()]),
        Mark.WARN,
        "s390x; images are for amd64, arm64",
    ),
    "nodes-of-two-kinds": (nodes.judge_nodes([node("arm64"), node()]), Mark.WARN, "nodeSelector"),
    "room": (
        nodes.judge_room("starter", ASKED, [node()], [pod("1", "1Gi"), pod("3", "9Gi", "Succeeded")]),
        Mark.OK,
        "3 CPU and 7Gi memory are free, starter asks for 500m and 2Gi",
    ),
    "no-room": (nodes.judge_room("starter", ASKED, [node()], [pod("3600m", "1Gi")]), Mark.FAIL, "400m CPU"),
    "no-memory": (nodes.judge_room("starter", ASKED, [node()], [pod("1", "9Gi")]), Mark.FAIL, "3 CPU and 0Mi memory"),
    "no-room-on-nodes-that-are-down": (nodes.judge_room("x", ASKED, [node(ready="False")], []), Mark.FAIL, "0 CPU"),
    "images": (nodes.judge_images({"registry.aistack.dev/a:1"}, [node()]), Mark.OK, "all 1 are on the nodes"),
    "images-missing": (
        nodes.judge_images({"registry.aistack.dev/b:1"}, [node()]),
        Mark.WARN,
        "0 of 1 are on the nodes",
    ),
    "network-enforces": (nodes.judge_network(["kube-proxy", "calico-node"]), Mark.OK, "calico-node enforces"),
    "network-ignores": (nodes.judge_network(["kube-flannel-ds"]), Mark.WARN, "kube-flannel-ds ignores"),
    "network-unknown": (nodes.judge_network(["aws-node"]), Mark.UNKNOWN, "can't be seen"),
    "inotify": (nodes.judge_inotify([node(providerID="kind://docker/x/y")], 128), Mark.WARN, "sudo sysctl fs.inotify"),
    "inotify-enough": (nodes.judge_inotify([node(providerID="kind://docker/x/y")], 8192), Mark.OK, "8192 instances"),
    "inotify-elsewhere": (nodes.judge_inotify([node(providerID="aws:///x")], 128), Mark.OK, "no nodes in containers"),
    "namespace": (
        place.judge_namespace("ml", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
        Mark.OK,
        "ml; Pod Security: restricted",
    ),
    "no-namespace": (place.judge_namespace("ml", None), Mark.FAIL, "ml doesn't exist; kubectl create namespace ml"),
    "namespace-going": (
        place.judge_namespace("ml", {"metadata": {"deletionTimestamp": "t"}}),
        Mark.FAIL,
        "being deleted",
    ),
    "no-quota": (place.judge_quota("starter", ASKED, [], []), Mark.OK, "none in the namespace"),
    "quota-with-room": (
        place.judge_quota("starter", ASKED, [quota({"requests.cpu": "2", "pods": "9"}, {"requests.cpu": "1"})], []),
        Mark.OK,
        "1 that leave room",
    ),
    "quota-without-room": (
        place.judge_quota("starter", ASKED, [quota({"memory": "4Gi"}, {"memory": "3Gi"})], []),
        Mark.FAIL,
        "only 1Gi left by quotas, starter asks for 500m CPU, 2Gi memory and 17Gi storage; raise the quota",
    ),
    "quota-on-limits": (
        place.judge_quota("starter", ASKED, [quota({"limits.cpu": "9"}, {})], [limits(memory="1Gi")]),
        Mark.FAIL,
        "none sets a CPU limit; make a LimitRange with a default for cpu",
    ),
    "quota-on-limits-that-are-given": (
        place.judge_quota("starter", ASKED, [quota({"limits.cpu": "9"}, {})], [limits(cpu="1")]),
        Mark.OK,
        "1 that leave room",
    ),
    "storage": (place.judge_storage([storage_class("fast", default=True, grows=True)]), Mark.OK, "volumes can grow"),
    "storage-that-can-t-grow": (place.judge_storage([storage_class("x", default=True)]), Mark.OK, "can't grow later"),
    "no-storage": (place.judge_storage([]), Mark.FAIL, "there is no StorageClass"),
    "no-default": (place.judge_storage([storage_class("a"), storage_class("b")]), Mark.WARN, "to one of a, b"),
    "two-defaults": (
        place.judge_storage([storage_class("a", default=True), storage_class("b", default=True)]),
        Mark.WARN,
        "a, b are both the default",
    ),
}


@pytest.mark.parametrize(("finding", "mark", "says"), FINDINGS.values(), ids=FINDINGS)
def test_a_finding_says_what_is_so_and_what_to_do(finding: Finding, mark: Mark, says: str) -> None:
    assert finding.mark is mark
    assert says in finding.text
    assert mark is Mark.OK or finding.remedy
