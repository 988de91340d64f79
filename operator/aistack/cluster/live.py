"""Live objects as the engine remembers them: slim, with their ownership boiled down to a hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aistack.cluster.fields import manages, owned_hash
from aistack.objects.health import Health, health_of
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef

METADATA_KEPT = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "annotations",
    "finalizers",
    "deletionTimestamp",
    "creationTimestamp",
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class Live:
    """One object of the cluster.

    ``managed`` says whether our field manager wrote any of it; ``owned`` is the hash of the fields that it owns.
    """

    ref: ObjectRef
    manifest: Manifest
    version: int
    managed: bool
    owned: str

    @property
    def uid(self) -> str:
        """Its identity: a deleted and re-made object has another."""
        return str(self.manifest["metadata"]["uid"])

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.manifest["metadata"].get("labels") or {}

    @property
    def terminating(self) -> bool:
        """Whether it is being deleted."""
        return bool(self.manifest["metadata"].get("deletionTimestamp"))

    @property
    def health(self) -> Health:
        """Its health by the kstatus rules."""
        return health_of(self.manifest)


def to_live(raw: Mapping[str, Any], kind: ObjectKind, manager: str, full: bool) -> Live:
    """Slim an object from the API server down to what the engine needs.

    Args:
        raw: the object, or its metadata alone.
        kind: its kind; items of lists and metadata-only objects don't carry it.
        manager: our field manager.
        full: whether to keep ``spec`` and ``status``.
    """
    metadata = raw["metadata"]
    ref = ObjectRef(kind.api_version, kind.kind, metadata.get("namespace", ""), metadata["name"])
    slim: Manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": _slim_metadata(metadata)}
    if full:
        # A pod's spec is long and nothing is judged by it.
        body = ("status",) if kind.kind == "Pod" else tuple(raw.keys() - {"apiVersion", "kind", "metadata"})
        slim |= {key: raw[key] for key in body if key in raw}
    whole = {"metadata": metadata}
    return Live(ref, slim, int(metadata["resourceVersion"]), manages(whole, manager), owned_hash(whole, manager))


def _slim_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: metadata[key] for key in METADATA_KEPT if key in metadata}
    if LAST_APPLIED in kept.get("annotations", {}):
        kept["annotations"] = {key: value for key, value in kept["annotations"].items() if key != LAST_APPLIED}
    return kept
