"""What keeps pods from running, in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aistack.objects.manifest import Manifest

IMAGE_HINT = "load or push the image, or set spec.images.registry and spec.images.pullSecrets"
VOLUME_HINT = (
    "see `kubectl get storageclass`, and set spec.storage.className to one that makes volumes; "
    "where another one is set already, delete the stack and make it again"
)
LONGEST = 300
"""Characters kept of a message that a program or the scheduler wrote."""

UNBOUND = "unbound immediate PersistentVolumeClaims"
"""How the scheduler says that a pod's volume isn't there."""
PASSWORD = re.compile(r"(://[^\s:/@]*:)\S*@")


def problems_of(live: Manifest) -> tuple[str, ...]:
    """Say what is wrong with a pod or a workload; empty for all others and for healthy ones."""
    if live["kind"] == "Pod":
        return tuple(dict.fromkeys(_pod(live)))
    return tuple(_workload(live))


def last_words(pod: Manifest) -> str:
    """Return what a failed container said last, or an empty text."""
    for status in _containers(pod.get("status", {})):
        message = _ended(status).get("message", "")
        if message.strip():
            return _short(message)
    return ""


def _pod(pod: Manifest) -> Iterator[str]:
    name = pod["metadata"]["name"]
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        return
    for condition in status.get("conditions", []):
        if condition.get("reason") == "Unschedulable":
            message = condition.get("message", "")
            hint = f"; {VOLUME_HINT}" if UNBOUND in message else ""
            yield f"pod {name} can't be scheduled: {_short(message)}{hint}"
    for container in _containers(status):
        yield from _container(name, container)


def _containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from status.get("initContainerStatuses", [])
    yield from status.get("containerStatuses", [])


def _container(pod: str, status: Mapping[str, Any]) -> Iterator[str]:
    waiting = status.get("state", {}).get("waiting", {})
    reason = waiting.get("reason", "")
    where = f"pod {pod}, container {status.get('name')}"
    if reason in ("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName"):
        yield f"pod {pod}: image {status.get('image')} can't be pulled ({reason}); {IMAGE_HINT}"
    elif reason in ("CrashLoopBackOff", "RunContainerError"):
        yield f"{where} keeps failing{_because(status)}"
    elif reason in ("CreateContainerConfigError", "CreateContainerError"):
        yield f"{where} can't be made: {_short(waiting.get('message', reason))}"
    elif _ended(status).get("exitCode") and not status.get("ready"):
        yield f"{where} failed{_because(status)}"


def _because(status: Mapping[str, Any]) -> str:
    ended = _ended(status)
    code = f" (exit code {ended['exitCode']})" if "exitCode" in ended else ""
    message = ended.get("message", "").strip()
    return code + (f": {_short(message)}" if message else "")


def _ended(status: Mapping[str, Any]) -> Mapping[str, Any]:
    now: Mapping[str, Any] = status.get("state", {}).get("terminated", {})
    before: Mapping[str, Any] = status.get("lastState", {}).get("terminated", {})
    return now or before


def _workload(live: Manifest) -> Iterator[str]:
    """A ReplicaSet that may not make pods (quota, admission) shows only in its Deployment's condition."""
    for condition in (live.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            yield f"{live['kind']} {live['metadata']['name']} can't make pods: {_short(condition.get('message', ''))}"


def _short(message: str) -> str:
    """Keep the last line: that is where programs say why they ended, at times with the URL that they failed on."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    return PASSWORD.sub(r"\1(hidden)@", lines[-1])[:LONGEST] if lines else ""
