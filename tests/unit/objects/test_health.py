"""Health by kstatus' rules, one row a situation."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.objects.health import HealthState, health_of

OK, WAIT, BAD = HealthState.CURRENT, HealthState.IN_PROGRESS, HealthState.FAILED
SEEN = {"observedGeneration": 2}


def live(
    kind: str, spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **meta: Any
) -> dict[str, Any]:
    metadata = {"name": "a", "generation": 2, **meta}
    return {"kind": kind, "metadata": metadata, "spec": spec or {}, "status": status or {}}


def condition(kind: str, status: str, **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


def parent(kind: str, status: str, **more: str) -> dict[str, Any]:
    return {"parentRef": {"name": "company"}, **condition(kind, status, **more)}


ROWS: dict[str, tuple[dict[str, Any] | None, HealthState, str]] = {
    "gone": (None, HealthState.NOT_FOUND, "doesn't exist"),
    "terminating": (
        live("ConfigMap", deletionTimestamp="2030-01-01T00:00:00Z"),
        HealthState.TERMINATING,
        "is being deleted",
    ),
    "held": (
        live("PersistentVolumeClaim", deletionTimestamp="x", finalizers=["kubernetes.io/pvc-protection"]),
        HealthState.TERMINATING,
        "is being deleted, held by kubernetes.io/pvc-protection",
    ),
    "config": (live("ConfigMap"), OK, ""),
    "metadata-only": ({"kind": "Role", "metadata": {"name": "a"}}, OK, ""),
    "route-that-no-gateway-took": (live("HTTPRoute"), WAIT, "no Gateway has taken it"),
    "route-that-was-taken": (live("HTTPRoute", {}, {"parents": [parent("Accepted", "True")]}), OK, ""),
    "route-that-a-listener-refuses": (
        live("HTTPRoute", {}, {"parents": [parent("Accepted", "False", reason="NotAllowedByListeners", message="no")]}),
        WAIT,
        "the Gateway company doesn't take it: NotAllowedByListeners: no",
    ),
    "route-to-nowhere": (
        live("HTTPRoute", {}, {"parents": [parent("ResolvedRefs", "False", reason="BackendNotFound")]}),
        WAIT,
        "the Gateway company doesn't take it: BackendNotFound",
    ),
    "old-news": (
        live("Deployment", {"replicas": 1}, {"observedGeneration": 1}),
        WAIT,
        "has not seen the latest change",
    ),
    "deployment-unseen": (live("Deployment", {"replicas": 1}), WAIT, "has not seen it yet"),
    "deployment-starts": (live("Deployment", {"replicas": 2}, SEEN | {"updatedReplicas": 1}), WAIT, "updated 1 of 2"),
    "deployment-s-old-pods": (
        live("Deployment", {"replicas": 1}, SEEN | {"updatedReplicas": 1, "replicas": 2, "availableReplicas": 1}),
        WAIT,
        "old pods are still going",
    ),
    "deployment-unavailable": (
        live("Deployment", {"replicas": 1}, SEEN | {"updatedReplicas": 1, "replicas": 1}),
        WAIT,
        "0 of 1 pods are",
    ),
    "deployment-works": (
        live("Deployment", {"replicas": 1}, SEEN | {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}),
        OK,
        "",
    ),
    "deployment-of-one-by-default": (live("Deployment", {}, SEEN), WAIT, "updated 0 of 1"),
    "deployment-of-none": (live("Deployment", {"replicas": 0}, SEEN), OK, ""),
    "deployment-stuck": (
        live(
            "Deployment",
            {"replicas": 1},
            SEEN | condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="has timed out"),
        ),
        BAD,
        "has timed out",
    ),
    "set-unseen": (live("StatefulSet", {"replicas": 1}), WAIT, "has not seen it yet"),
    "set-starts": (live("StatefulSet", {"replicas": 1}, SEEN), WAIT, "0 of 1 pods are ready"),
    "set-rolls": (
        live(
            "StatefulSet",
            {"replicas": 2},
            SEEN | {"readyReplicas": 2, "updatedReplicas": 1, "updateRevision": "b", "currentRevision": "a"},
        ),
        WAIT,
        "updated 1 of 2 pods",
    ),
    "set-works": (
        live(
            "StatefulSet", {"replicas": 1}, SEEN | {"readyReplicas": 1, "updateRevision": "a", "currentRevision": "a"}
        ),
        OK,
        "",
    ),
    "daemon-set-unseen": (live("DaemonSet"), WAIT, "has not seen it yet"),
    "daemon-set-rolls": (
        live("DaemonSet", {}, SEEN | {"desiredNumberScheduled": 3, "updatedNumberScheduled": 2}),
        WAIT,
        "updated 2 of 3",
    ),
    "daemon-set-works": (
        live(
            "DaemonSet",
            {},
            SEEN | {"desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1},
        ),
        OK,
        "",
    ),
    "volume-waits-for-its-pod": (live("PersistentVolumeClaim", {}, {"phase": "Pending"}), OK, ""),
    "volume-bound": (live("PersistentVolumeClaim", {}, {"phase": "Bound"}), OK, ""),
    "volume-lost": (live("PersistentVolumeClaim", {}, {"phase": "Lost"}), BAD, "its volume is lost"),
    "job-runs": (live("Job", {"completions": 1}, {"active": 1}), WAIT, "0 of 1 completions"),
    "job-done": (live("Job", {}, condition("Complete", "True")), OK, ""),
    "job-failed": (live("Job", {}, condition("Failed", "True", message="too many tries")), BAD, "too many tries"),
    "definition-new": (live("CustomResourceDefinition"), WAIT, "not established yet"),
    "definition-works": (live("CustomResourceDefinition", {}, condition("Established", "True")), OK, ""),
    "other-kind-ready": (live("Certificate", {}, condition("Ready", "True")), OK, ""),
    "other-kind-not-ready": (live("Certificate", {}, condition("Ready", "False", message="waits")), WAIT, "waits"),
    "other-kind-unknown": (live("Certificate", {}, condition("Ready", "Unknown")), WAIT, "isn't ready"),
    "other-kind-busy": (live("Bucket", {}, condition("Reconciling", "True", message="makes it")), WAIT, "makes it"),
    "other-kind-stalled": (live("Bucket", {}, condition("Stalled", "True", message="no quota")), BAD, "no quota"),
    "other-kind-calm": (live("Bucket", {}, condition("Stalled", "False")), OK, ""),
}


@pytest.mark.parametrize(("manifest", "state", "message"), ROWS.values(), ids=ROWS)
def test_health(manifest: dict[str, Any] | None, state: HealthState, message: str) -> None:
    found = health_of(manifest)
    assert found.state is state
    assert message in found.message
    assert bool(found.message) is (state is not OK), "whatever isn't current says why"
    assert found.current is (state is OK)
