"""Manifests: parsed Kubernetes objects, their identity and their content hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

Manifest = dict[str, Any]


@dataclass(frozen=True, order=True, slots=True)
class ObjectKind:
    """A kind of object: ``apps/v1`` + ``Deployment``."""

    api_version: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.api_version}"


@dataclass(frozen=True, order=True, slots=True)
class ObjectRef:
    """Names one object in a cluster; ``namespace`` is empty for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def object_kind(self) -> ObjectKind:
        """The kind, without the name."""
        return _kind(self.api_version, self.kind)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@lru_cache(maxsize=4096)
def _kind(api_version: str, kind: str) -> ObjectKind:
    return ObjectKind(api_version, kind)


def ref_of(manifest: Manifest) -> ObjectRef:
    """Return the reference of a manifest.

    Raises:
        KeyError: apiVersion, kind or metadata.name is missing.
    """
    metadata = manifest["metadata"]
    return ObjectRef(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def canonical(value: object) -> bytes:
    """Encode plain data as JSON with sorted keys: equal data gives equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def copied(manifest: Manifest) -> Manifest:
    """Copy a manifest to the last value; many times faster than ``deepcopy``."""
    copy: Manifest = orjson.loads(orjson.dumps(manifest))
    return copy


def content_hash(value: object, length: int = 16) -> str:
    """Hash plain data to ``length`` hexadecimal characters (SHA-256), independent of key order."""
    return hashlib.sha256(canonical(value)).hexdigest()[:length]


def replacing(old: Manifest, new: Manifest) -> Manifest:
    """Return a merge patch from one map to another: what is no longer known goes, lists are replaced whole."""
    return {**dict.fromkeys(old.keys() - new.keys()), **new}
