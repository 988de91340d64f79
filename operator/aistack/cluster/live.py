"""Live objects as the engine remembers them: slim, with their ownership boiled down to a hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from types import MappingProxyType
from typing import Any

from aistack.cluster.fields import manages, owned_hash
from aistack.cluster.problems import problems_of
from aistack.objects.health import CURRENT, Health, health_of
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef

METADATA_KEPT = ("generation", "annotations", "finalizers", "deletionTimestamp")
"""What is kept of every object's metadata, besides what has a field of its own; most have none of it."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Live:
    """One object of the cluster, in as little memory as a hundred thousand of them ask for.

    ``managed`` says whether our field manager wrote any of it; ``owned`` is the hash of the fields that it owns.
    ``uid`` is its identity: a deleted and re-made object has another.
    """

    ref: ObjectRef
    uid: str
    version: int
    managed: bool
    owned: str
    labels: Mapping[str, str]
    more: Mapping[str, Any]
    """What else is kept of its metadata."""
    body: Mapping[str, Any]
    """What is kept besides its metadata; empty for most kinds."""

    @property
    def manifest(self) -> Manifest:
        """The object, as far as it is kept; made anew each time."""
        ref = self.ref
        metadata = {"name": ref.name, "uid": self.uid, "resourceVersion": str(self.version), **self.more}
        if ref.namespace:
            metadata["namespace"] = ref.namespace
        if self.labels:
            metadata["labels"] = dict(self.labels)
        return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, **self.body}

    @property
    def terminating(self) -> bool:
        """Whether it is being deleted."""
        return "deletionTimestamp" in self.more

    @property
    def health(self) -> Health:
        """Its health by the kstatus rules."""
        return health_of(self.manifest) if self.body or self.terminating else CURRENT

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with it, if it is a pod or a workload."""
        return problems_of(self.manifest) if self.body else ()


def to_live(raw: Mapping[str, Any], kind: ObjectKind, manager: str, full: bool) -> Live:
    """Slim an object from the API server down to what the engine needs.

    Args:
        raw: the object, or its metadata alone.
        kind: its kind; items of lists and metadata-only objects don't carry it.
        manager: our field manager.
        full: whether to keep ``spec`` and ``status``.
    """
    metadata = raw["metadata"]
    # What many objects have in common is in memory once.
    ref = ObjectRef(kind.api_version, kind.kind, intern(metadata.get("namespace", "")), intern(metadata["name"]))
    whole = {"metadata": metadata}
    return Live(
        ref,
        intern(metadata["uid"]),
        int(metadata["resourceVersion"]),
        manages(whole, manager),
        intern(owned_hash(whole, manager)),
        _shared(tuple((metadata.get("labels") or {}).items())),
        _more(metadata, full),
        _body(raw, kind) if full else _NOTHING,
    )


@lru_cache(maxsize=16_384)
def _shared(labels: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Return the same map for the same labels: those of one component's objects are mostly equal."""
    return MappingProxyType({intern(key): intern(value) for key, value in labels})


def _more(metadata: Mapping[str, Any], full: bool) -> Mapping[str, Any]:
    wanted = (*METADATA_KEPT, "creationTimestamp") if full else METADATA_KEPT
    kept = {key: metadata[key] for key in wanted if metadata.get(key)}
    if LAST_APPLIED in kept.get("annotations", {}):
        kept["annotations"] = {key: value for key, value in kept["annotations"].items() if key != LAST_APPLIED}
    return kept or _NOTHING


def _body(raw: Mapping[str, Any], kind: ObjectKind) -> Mapping[str, Any]:
    if kind.kind == "Pod":  # its spec is long and nothing is judged by it
        return {"status": raw["status"]} if "status" in raw else _NOTHING
    return {key: value for key, value in raw.items() if key not in ("apiVersion", "kind", "metadata")}
