"""What a plan would change, for people: a line for each object, and under it the fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.text import Text

from aistack.objects.diff import Change, FieldChange, ObjectChange

SIGNS: dict[Change, tuple[str, str]] = {
    Change.CREATE: ("+", "green"),
    Change.UPDATE: ("~", "yellow"),
    Change.RECREATE: ("±", "bold yellow"),
    Change.RUN: (">", "cyan"),
    Change.DELETE: ("-", "red"),
    Change.RETAIN: ("=", "blue"),
}
_WORDS: dict[Change, str] = {
    Change.CREATE: "to create",
    Change.UPDATE: "to change",
    Change.RECREATE: "to delete and make anew",
    Change.RUN: "to run",
    Change.DELETE: "to delete",
    Change.RETAIN: "to leave behind with its data",
}
LONGEST = 100
"""Characters shown of one line."""


def changes_view(changes: Sequence[ObjectChange]) -> RenderableType:
    """Show the objects that would change; the fields of new and deleted ones would only be noise."""
    shown = [change for change in changes if change.change is not Change.NONE]
    return Group(*(line for change in shown for line in _object(change)), Text(summary(changes), "bold"))


def summary(changes: Sequence[ObjectChange]) -> str:
    """Count the changes in one line."""
    counts = Counter(change.change for change in changes)
    parts = [f"{counts[kind]} {words}" for kind, words in _WORDS.items() if counts[kind]]
    same = f"{counts[Change.NONE]} unchanged"
    return ", ".join([*parts, same]) if parts else f"nothing would change ({same})"


def changes_data(changes: Sequence[ObjectChange]) -> list[dict[str, Any]]:
    """Return the changes as plain data, for programs."""
    return [
        {
            "change": str(change.change),
            "apiVersion": change.ref.api_version,
            "kind": change.ref.kind,
            "namespace": change.ref.namespace,
            "name": change.ref.name,
            "fields": [{"path": f.path, "before": f.before, "after": f.after} for f in change.fields],
            "note": change.note,
        }
        for change in changes
        if change.change is not Change.NONE
    ]


def _object(change: ObjectChange) -> Iterator[Text]:
    sign, style = SIGNS[change.change]
    note = f"  ({change.note})" if change.note else ""
    yield Text.assemble((f"{sign} {change.change:<9}", style), f"{change.ref}{note}")
    if change.change in (Change.UPDATE, Change.RECREATE):
        for field in change.fields:
            yield from _field(field)


def _field(field: FieldChange) -> Iterator[Text]:
    """Show a field's lines that go and come; of a long text or list, only those that differ."""
    yield Text(f"    {field.path.removeprefix('.')}")
    differences = list(unified_diff(_lines(field.before), _lines(field.after), lineterm="", n=0))
    for line in differences[2:]:  # after the two lines that would name files
        if not line.startswith("@@"):
            yield Text(f"      {line[0]} {_short(line[1:])}", "red" if line[0] == "-" else "green")


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (dict, list)):
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode().splitlines()
    return str(value).splitlines() or [""]


def _short(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}… ({len(line)} characters)"
