"""Pods: what every pod of a stack gets, whether a template makes it or a tool spawns it.

The restricted Pod Security Standard is enforced, not defaulted: a template can't weaken it.
Source: kubernetes.io/docs/concepts/security/pod-security-standards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aistack.api.scheduling import Scheduling
from aistack.api.spec import AIStack
from aistack.objects.manifest import Manifest
from aistack.planning.images import ImageSource
from aistack.planning.resolve import Resolved

FS_GROUP = 65532
"""Group that owns volumes where the driver supports it; our images' group."""

POD_SECURITY: Mapping[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
POD_DEFAULTS: Mapping[str, Any] = {"fsGroup": FS_GROUP, "fsGroupChangePolicy": "OnRootMismatch"}
CONTAINER_SECURITY: Mapping[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
CONTAINER_DEFAULTS: Mapping[str, Any] = {"readOnlyRootFilesystem": True}


def pod_template(manifest: Manifest) -> dict[str, Any] | None:
    """Return the pod template inside a workload, or None for other kinds."""
    spec = manifest.get("spec") or {}
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template = spec.get("template") if isinstance(spec, dict) else None
    return template if isinstance(template, dict) and "spec" in template else None


def containers(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a pod's containers, those first that run first."""
    yield from spec.get("initContainers", [])
    yield from spec["containers"]


def scheduling_fields(scheduling: Scheduling) -> dict[str, Any]:
    """Return a placement as fields of a pod's spec; what isn't set is left out."""
    return scheduling.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def spawned_pod_settings(
    stack: AIStack, r: Resolved, images: ImageSource, resources: dict[str, Any], labels: dict[str, str]
) -> dict[str, Any]:
    """Return what a spawner must apply to each pod it makes; every key is always there."""
    placement = scheduling_fields(r.scheduling)
    return {
        "securityContext": {**POD_DEFAULTS, **POD_SECURITY},
        "containerSecurityContext": {**CONTAINER_DEFAULTS, **CONTAINER_SECURITY},
        "resources": resources,
        "nodeSelector": placement.get("nodeSelector", {}),
        "tolerations": placement.get("tolerations", []),
        "priorityClassName": placement.get("priorityClassName", ""),
        "imagePullSecrets": images.pull_secret_refs(),
        "imagePullPolicy": images.pull_policy,
        "labels": {**stack.spec.labels, **labels},
        "annotations": dict(stack.spec.annotations),
    }
