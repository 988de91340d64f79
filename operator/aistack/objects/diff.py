"""Differences between two states of an object, field by field, fit to be shown: values of Secrets are masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aistack.objects.manifest import Manifest, ObjectRef, canonical

SERVER_METADATA = frozenset(
    {"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink", "deletionTimestamp"}
)
"""Metadata that the API server writes itself."""
HIDDEN = "(hidden)"
HIDDEN_CHANGED = "(hidden, another value)"
SECRET_FIELDS = ("data", "stringData")


class Change(StrEnum):
    """What applying a plan would do to an object."""

    CREATE = "create"
    UPDATE = "update"
    RECREATE = "recreate"
    RUN = "run"
    DELETE = "delete"
    RETAIN = "retain"
    NONE = "none"


@dataclass(frozen=True)
class FieldChange:
    """One field's change; ``before`` or ``after`` is None where the field is absent."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ObjectChange:
    """One object's change."""

    ref: ObjectRef
    change: Change
    fields: tuple[FieldChange, ...] = ()
    note: str = ""


def field_changes(before: Manifest, after: Manifest) -> tuple[FieldChange, ...]:
    """Compare two states of an object; what the server itself writes is left out, and Secrets' values are masked."""
    secret = "Secret" in (before.get("kind"), after.get("kind"))
    found = _compare("", _comparable(before), _comparable(after))
    return tuple(_masked(change) if secret else change for change in found)


def project(live: Any, wanted: Any) -> Any:
    """Reduce a live value to the fields that the wanted one has, so that defaults don't show as differences."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        return {key: project(live[key], value) for key, value in wanted.items() if key in live}
    if isinstance(live, Sequence) and isinstance(wanted, Sequence) and not isinstance(live, str):
        return [project(item, wanted[i]) if i < len(wanted) else item for i, item in enumerate(live)]
    return live


def _comparable(manifest: Manifest) -> Manifest:
    kept = {key: value for key, value in manifest.items() if key != "status"}
    if "metadata" in kept:
        kept["metadata"] = {key: value for key, value in kept["metadata"].items() if key not in SERVER_METADATA}
    return kept


def _compare(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _compare(f"{path}.{key}", before.get(key), after.get(key))
    elif _named(before) and _named(after):
        yield from _compare_named(path, before, after)
    elif canonical(before) != canonical(after):
        yield FieldChange(path, before, after)


def _named(value: Any) -> bool:
    """Whether a list tells its items apart by name, as containers, ports or volumes do."""
    return isinstance(value, list) and all(isinstance(item, Mapping) and "name" in item for item in value)


def _compare_named(path: str, before: list[Any], after: list[Any]) -> Iterator[FieldChange]:
    old, new = ({item["name"]: item for item in items} for items in (before, after))
    for name in dict.fromkeys((*old, *new)):
        yield from _compare(f'{path}[name="{name}"]', old.get(name), new.get(name))


def _masked(change: FieldChange) -> FieldChange:
    if not change.path.removeprefix(".").startswith(SECRET_FIELDS):
        return change
    before = None if change.before is None else HIDDEN
    after = None if change.after is None else HIDDEN_CHANGED if before else HIDDEN
    return FieldChange(change.path, before, after)
