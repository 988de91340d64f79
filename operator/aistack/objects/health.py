"""Health of live objects by the kstatus rules that kubectl, Flux and Argo CD users know.

Source of the rules: sigs.k8s.io/cli-utils ``pkg/kstatus``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aistack.objects.manifest import Manifest


class HealthState(StrEnum):
    """kstatus' words."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"


@dataclass(frozen=True)
class Health:
    """An object's health and, unless it is current, why."""

    state: HealthState
    message: str = ""

    @property
    def current(self) -> bool:
        """Whether the object is as desired and working."""
        return self.state is HealthState.CURRENT


CURRENT = Health(HealthState.CURRENT)


def _waiting(message: str) -> Health:
    return Health(HealthState.IN_PROGRESS, message)


def health_of(live: Manifest | None) -> Health:
    """Judge a live object; ``None`` means that it doesn't exist."""
    if live is None:
        return Health(HealthState.NOT_FOUND, "doesn't exist")
    if live["metadata"].get("deletionTimestamp"):
        finalizers = ", ".join(live["metadata"].get("finalizers", []))
        return Health(HealthState.TERMINATING, "is being deleted" + (f", held by {finalizers}" if finalizers else ""))
    status = live.get("status", {})
    if "observedGeneration" in status and status["observedGeneration"] != live["metadata"].get("generation"):
        return _waiting("its controller has not seen the latest change yet")
    return _RULES.get(live["kind"], _by_conditions)(live.get("spec", {}), status)


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((c for c in status.get("conditions", []) if c.get("type") == kind), {})


def _by_conditions(_: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    """Judge a kind without a rule of its own by the conditions that kstatus gives a meaning."""
    if not status.get("conditions"):
        return CURRENT
    if (stalled := _condition(status, "Stalled")).get("status") == "True":
        return Health(HealthState.FAILED, stalled.get("message", "stalled"))
    if (busy := _condition(status, "Reconciling")).get("status") == "True":
        return _waiting(busy.get("message", "is being reconciled"))
    if (ready := _condition(status, "Ready")).get("status", "True") != "True":
        return _waiting(ready.get("message", "isn't ready"))
    return CURRENT


def _daemon_set(_: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if "observedGeneration" not in status:
        return _waiting("its controller has not seen it yet")
    wanted = status.get("desiredNumberScheduled", 0)
    if (updated := status.get("updatedNumberScheduled", 0)) < wanted:
        return _waiting(f"updated {updated} of {wanted} pods")
    return _available(status.get("numberAvailable", 0), wanted)


def _deployment(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    progressing = _condition(status, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Health(HealthState.FAILED, progressing.get("message", "rollout took too long"))
    if "observedGeneration" not in status:
        return _waiting("its controller has not seen it yet")
    wanted = spec.get("replicas", 1)
    if status.get("updatedReplicas", 0) < wanted:
        return _waiting(f"updated {status.get('updatedReplicas', 0)} of {wanted} pods")
    if status.get("replicas", 0) > status.get("updatedReplicas", 0):
        return _waiting("old pods are still going")
    return _available(status.get("availableReplicas", 0), wanted)


def _available(available: int, wanted: int) -> Health:
    return CURRENT if available >= wanted else _waiting(f"{available} of {wanted} pods are available")


def _stateful_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if "observedGeneration" not in status:
        return _waiting("its controller has not seen it yet")
    wanted = spec.get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return _waiting(f"{ready} of {wanted} pods are ready")
    if status.get("updateRevision") != status.get("currentRevision") and status.get("updatedReplicas", 0) < wanted:
        return _waiting(f"updated {status.get('updatedReplicas', 0)} of {wanted} pods")
    return CURRENT


def _volume_claim(_: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    """Judge a PersistentVolumeClaim.

    Pending is no fault of its own: with WaitForFirstConsumer it binds only once a pod needs it, and a pod that can't
    get it says so. Only a lost volume fails.
    """
    if status.get("phase") == "Lost":
        return Health(HealthState.FAILED, "its volume is lost")
    return CURRENT


def _job(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    failed = _condition(status, "Failed")
    if failed.get("status") == "True":
        return Health(HealthState.FAILED, failed.get("message", "failed"))
    if _condition(status, "Complete").get("status") == "True":
        return CURRENT
    return _waiting(f"{status.get('succeeded', 0)} of {spec.get('completions', 1)} completions")


def _custom_resource_definition(_: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    established = _condition(status, "Established").get("status") == "True"
    return CURRENT if established else _waiting("not established yet")


def _http_route(_: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    """Judge a route of the Gateway API: its controller writes for each Gateway whether it takes the route."""
    if not status.get("parents"):
        return _waiting("no Gateway has taken it; is there one of that name, and does its controller run?")
    for parent in status["parents"]:
        conditions = (_condition(parent, kind) for kind in ("Accepted", "ResolvedRefs"))
        if refused := next((c for c in conditions if c.get("status") == "False"), None):
            why = f"{refused.get('reason', '')}: {refused.get('message', '')}".strip(": ")
            return _waiting(f"the Gateway {parent.get('parentRef', {}).get('name')} doesn't take it: {why}")
    return CURRENT


_RULES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Health]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "PersistentVolumeClaim": _volume_claim,
    "Job": _job,
    "CustomResourceDefinition": _custom_resource_definition,
    "HTTPRoute": _http_route,
}
