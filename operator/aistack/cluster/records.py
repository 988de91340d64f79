"""What an inventory remembers, and how that is written down."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from sys import intern
from typing import Any

import orjson

from aistack.objects.manifest import ObjectRef

PLAIN_LIMIT = 200_000
"""Bytes up to which an inventory is kept readable; longer ones are compressed (etcd takes about 1 MB)."""
PLAIN, PACKED = "objects.json", "objects.json.z"


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of one object. A record without ``uid`` is an intention: written ahead, not known to exist."""

    unit: str = ""
    order: int = 0
    """Position in the plan: later ones are deleted first."""
    uid: str = ""
    desired: str = ""
    """Hash of what we wanted when we last wrote it."""
    owned: str = ""
    """Hash of the fields that we owned after that write."""
    paths: str = ""
    """Marks of those fields (:func:`aistack.cluster.fields.marks`)."""
    contested: tuple[str, ...] = ()
    """Fields left to others."""
    retain: bool = False
    """Data that outlives its owner when asked to."""
    kept: bool = False
    """It did outlive its owner, or its unit."""
    base: str = ""
    """Of a generated Secret: its name without the generation."""
    generation: int = 0
    action: str = ""
    """Of a Job: the key of the action that it runs."""
    exclusive: str = ""
    """Of a Job: it doesn't run beside one that has the same here."""
    succeeded: bool = False
    """It did at least once, with this input."""
    attempts: int = 0
    """How often it failed since it last succeeded."""
    judged: str = ""
    """Of a proof: UID of the Job whose end was noted."""
    ended: float = 0.0
    """Of a proof: when its last run ended, in seconds since the epoch."""
    report: str = ""
    """Of a proof: what that run said."""
    stale: bool = False
    """Of a proof: something that it talks to was away since, so it must run again."""
    asked: str = ""
    """Of a proof: the token that its newest run was started with."""
    token: str = ""
    """Of a proof: the token that its last run answered. Of a generated Secret: the request that it answers."""

    @property
    def exists(self) -> bool:
        """Whether the object was ever seen to exist."""
        return bool(self.uid)


Records = dict[ObjectRef, Record]
FIELDS = fields(Record)
NAMES = tuple(field.name for field in FIELDS)
COMMON = frozenset({"unit", "uid", "owned", "paths"})
"""Fields whose text many records have, or live objects too: it is in memory once."""


def encode(records: Mapping[ObjectRef, Record]) -> dict[str, Any]:
    """Return ``data`` or ``binaryData`` of a ConfigMap; equal records give equal bytes."""
    plain = orjson.dumps({_key(ref): dict(_told(records[ref])) for ref in sorted(records)}, option=orjson.OPT_INDENT_2)
    if len(plain) <= PLAIN_LIMIT:
        return {"data": {PLAIN: plain.decode()}}
    return {"binaryData": {PACKED: base64.b64encode(zlib.compress(plain)).decode()}}


def decode(config_map: Mapping[str, Any]) -> Records:
    """Read the records back.

    Raises:
        ValueError: they are damaged.
    """
    packed = (config_map.get("binaryData") or {}).get(PACKED)
    try:
        plain = zlib.decompress(base64.b64decode(packed)) if packed else config_map["data"][PLAIN]
        return {_ref(key): _record(value) for key, value in orjson.loads(plain).items()}
    except (AttributeError, KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"unreadable inventory: {error!r}") from error


def _told(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield the fields that say anything."""
    values = ((field.name, getattr(record, field.name), field.default) for field in FIELDS)
    return ((name, value) for name, value, default in values if value != default)


def _record(value: Mapping[str, Any]) -> Record:
    told = {name: value[name] for name in NAMES if name in value}
    for name in COMMON.intersection(told):
        told[name] = intern(told[name])
    return Record(**{**told, "contested": tuple(told.get("contested", ()))})


def _key(ref: ObjectRef) -> str:
    return "|".join((ref.api_version, ref.kind, ref.namespace, ref.name))


def _ref(key: str) -> ObjectRef:
    return ObjectRef(*map(intern, key.split("|")))
