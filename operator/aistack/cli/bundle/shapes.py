"""What is told of objects: their state, and nothing that may hold a secret. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aistack.objects.manifest import Manifest

Told = dict[str, Any]
NOTES = "annotations"


def secret(live: Manifest) -> Told:
    """Return a Secret's name, type, labels and keys."""
    return {**_named(live), "type": live.get("type", ""), "keys": sorted(live.get("data") or {})}


def pod(live: Manifest) -> Told:
    """Return a pod's state; of variables the names alone."""
    spec = live["spec"]
    containers = [_container(c) for part in ("initContainers", "containers") for c in spec.get(part) or ()]
    return {
        **_named(live),
        "ownerReferences": live["metadata"].get("ownerReferences", []),
        "spec": {"nodeName": spec.get("nodeName", ""), "containers": containers},
        "status": live.get("status", {}),
    }


def event(live: Manifest) -> Told:
    """Return what an Event says."""
    keys = ("involvedObject", "type", "reason", "message", "count", "firstTimestamp", "lastTimestamp", "source")
    return {key: live[key] for key in keys if live.get(key)}


def child(live: Manifest) -> Told:
    """Return an object's name and state, with who owns which of its fields; no content."""
    metadata = live["metadata"]
    managed = {"managedFields": metadata.get("managedFields", [])}
    return {"kind": live.get("kind", ""), **_named(live), **managed, "status": live.get("status", {})}


def _container(container: Mapping[str, Any]) -> Told:
    told = {key: container[key] for key in ("name", "image", "resources", "ports") if key in container}
    return {**told, "env": [variable["name"] for variable in container.get("env") or ()]}


def _named(live: Manifest) -> Told:
    metadata = live["metadata"]
    kept = (
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "finalizers",
        "labels",
    )
    told = {key: metadata[key] for key in kept if key in metadata}
    return {"metadata": told | {NOTES: sorted(metadata.get(NOTES) or {})}}
