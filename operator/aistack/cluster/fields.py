"""Field ownership (``metadata.managedFields``): which fields of an object are ours, and whose others are.

Paths are written as the API server writes them in conflicts: ``.spec.ports[port=80,protocol="TCP"].name``.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from aistack.objects.manifest import Manifest, content_hash, copied

MARK = 4
"""Characters of a path's mark: 24 bits, few enough to keep thousands of paths in an inventory."""


_VALUE = r'("(?:[^"\\]|\\.)*"|[^,\]]+)'
PAIR = re.compile(rf"(\w*)={_VALUE}")
SELECTOR = re.compile(rf"\[(?:\w*={_VALUE},?)+\]")


def manages(manifest: Manifest, manager: str) -> bool:
    """Whether the manager owns any field, however it was written."""
    return any(entry.get("manager") == manager for entry in _entries(manifest))


def owned_fields(manifest: Manifest, manager: str) -> Mapping[str, Any]:
    """Return the fields that the manager owns through server-side apply, in Kubernetes' own encoding."""
    return dict(_applied(manifest, manager).get("fieldsV1", {}))


def owned_hash(manifest: Manifest, manager: str) -> str:
    """Hash of what is owned through server-side apply: it changes with every write to these fields.

    Somebody else's write takes a field away; one under our own name gives the entry a new time (a resolution of
    seconds). What changes nothing, like our own apply of the same, leaves both as they are.
    """
    entry = _applied(manifest, manager)
    return content_hash([entry.get("time", ""), entry.get("fieldsV1", {})])


def marks(manifest: Manifest, manager: str) -> str:
    """Return short marks of all owned paths, joined: enough to tell later whether a path was ours."""
    return "".join(sorted({mark(path) for path in paths(owned_fields(manifest, manager))}))


@lru_cache(maxsize=16_384)
def mark(path: str) -> str:
    """Shorten a path to :data:`MARK` characters."""
    return base64.b64encode(hashlib.sha256(path.encode()).digest()[:3]).decode()


def is_marked(path: str, joined: str) -> bool:
    """Whether the path's mark is among the joined ones."""
    wanted = mark(path)
    return any(joined[start : start + MARK] == wanted for start in range(0, len(joined), MARK))


def paths(fields: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the paths that a set of fields names."""
    for element, below in fields.items():
        if element == ".":
            yield prefix
            continue
        path = prefix + _element(element)
        if not below:
            yield path
        yield from paths(below, path)


def _element(element: str) -> str:
    form, _, content = element.partition(":")
    if form == "f":
        return f".{content}"
    if form == "k":
        return "[" + ",".join(f"{key}={_text(value)}" for key, value in sorted(orjson.loads(content).items())) + "]"
    return f"[={_text(orjson.loads(content))}]" if form == "v" else f"[{content}]"


def _text(value: object) -> str:
    return orjson.dumps(value).decode()


def without(manifest: Manifest, unwanted: Iterable[str]) -> Manifest:
    """Copy a manifest, leaving fields out."""
    copy = copied(manifest)
    for path in unwanted:
        _leave_out(copy, path)
    return copy


def _leave_out(value: Any, path: str) -> bool:
    """Remove what ``path`` names below ``value``; return whether ``value`` itself is meant."""
    if not path:
        return True
    if isinstance(value, dict):
        # Names may contain dots (annotations): the keys that exist decide where the name ends.
        for key in [k for k in value if path.startswith(f".{k}")]:
            if _leave_out(value[key], path.removeprefix(f".{key}")):
                del value[key]
    elif isinstance(value, list) and (selector := SELECTOR.match(path)):
        for item in [i for i in value if _selected(i, selector[0])]:
            if _leave_out(item, path.removeprefix(selector[0])):
                value.remove(item)
    return False


def _selected(item: Any, selector: str) -> bool:
    """Whether a list item is meant; a key that the item leaves to its default matches."""
    pairs = [(key, orjson.loads(text)) for key, text in PAIR.findall(selector)]
    if isinstance(item, dict):
        return all(item.get(key, value) == value for key, value in pairs)
    return bool(pairs) and item == pairs[0][1]


def _applied(manifest: Manifest, manager: str) -> Mapping[str, Any]:
    """Return the entry of what the manager wrote through server-side apply, an empty one if there is none."""
    for entry in _entries(manifest):
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return entry
    return {}


def _entries(manifest: Manifest) -> Iterable[Mapping[str, Any]]:
    return manifest["metadata"].get("managedFields") or ()
