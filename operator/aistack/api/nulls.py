"""Explicit nulls in a stack: refused where they would be lost, dropped where Kubernetes drops them.

Elsewhere ``null`` means "not set", and the API server drops it. Inside ``values`` it might mean something to a tool,
and whether it arrives depends on how it was sent: server-side apply and create keep it, client-side ``kubectl apply``
drops it, but leaves a trace in its annotation. Therefore both the object and that annotation are searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

import orjson

from aistack.errors import SpecError

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MAX_DEPTH = 100
_DROPPED = f"kubectl dropped it, as its annotation {LAST_APPLIED} shows"
_APPLY_AGAIN = (
    "leave the setting out to get its default, or write a value, and run kubectl apply, which writes the annotation "
    f"anew; for any other way to apply, remove it: kubectl annotate aistack NAME {LAST_APPLIED}-"
)
Path = tuple[str | int, ...]


def refuse_nulls_in_values(stack: Mapping[str, Any]) -> None:
    """Check that no component's ``values`` hold a null, nor held one that kubectl dropped.

    Raises:
        SpecError: naming the first null's path.
    """
    values, applied = _values(stack), _values(_last_applied(stack))
    _refuse_nulls_in_patches(stack)
    for name, given in values.items():
        for path, problem in _nulls(given):
            raise _refusal(name, path, problem, "leave the setting out to get its default, or write a value")
        for path, problem in _nulls(applied.get(name)):
            if not _has_value(given, path):
                raise _refusal(name, path, f"{problem} ({_DROPPED})", _APPLY_AGAIN)


def _refuse_nulls_in_patches(stack: Mapping[str, Any]) -> None:
    """Check that no patch removes a field by a null: what drops nulls on the way would drop the removal with it."""
    for entry in _entries(stack):
        patches = entry.get("patches")
        for i, patch in enumerate(patches if isinstance(patches, list) else []):
            for path, problem in _nulls(patch):
                field = f"spec.components[{entry.get('name')}].patches[{i}]{format_path(path)}"
                raise SpecError(field, problem, "write a jsonPatch with op: remove to take a field away")


def refuse_depth(data: Mapping[str, Any]) -> None:
    """Check that data isn't nested deeper than anybody writes, before anything walks down it.

    Raises:
        SpecError: naming the beginning of the first path that is.
    """
    if path := _too_deep(data):
        field = format_path(path[:8]).removeprefix(".")
        raise SpecError(field, f"is nested deeper than {MAX_DEPTH} levels", "write it flatter")


def drop_nulls(value: Any) -> Any:
    """Return a copy without the entries of maps that are null."""
    if isinstance(value, Mapping):
        return {key: drop_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [drop_nulls(item) for item in value]
    return value


def format_path(path: Path) -> str:
    """Write a path as ``kubectl explain`` does: ``.name``, or ``[0]`` and ``[a.b/c]`` where that isn't a name."""
    return "".join(f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{part}]" for part in path)


def _refusal(component: str, path: Path, problem: str, remedy: str) -> SpecError:
    return SpecError(f"spec.components[{component}].values{format_path(path)}", problem, remedy)


def _last_applied(stack: Mapping[str, Any]) -> Any:
    metadata = stack.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    note = annotations.get(LAST_APPLIED) if isinstance(annotations, Mapping) else None
    try:
        applied = orjson.loads(note) if isinstance(note, str) else {}
    except orjson.JSONDecodeError:
        return {}  # Anyone may write an annotation; a broken one says nothing about the spec.
    return {} if _too_deep(applied) else applied


def _values(stack: Any) -> dict[str, Any]:
    """Map each component's name to its ``values``; parts of a wrong shape are left to the models to refuse."""
    return {str(entry.get("name")): entry.get("values") or {} for entry in _entries(stack)}


def _entries(stack: Any) -> list[Mapping[str, Any]]:
    spec = stack.get("spec") if isinstance(stack, Mapping) else None
    components = spec.get("components") if isinstance(spec, Mapping) else None
    return [entry for entry in components if isinstance(entry, Mapping)] if isinstance(components, list) else []


def _nulls(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield where a null stands, or what JSON writes as one, and what is wrong with it."""
    if path and value is None:
        yield path, "is an explicit null, which may be dropped silently on the way to the operator"
    if path and isinstance(value, float) and not isfinite(value):
        yield path, "is no finite number, which no JSON can hold"
    for key, item in _children(value):
        yield from _nulls(item, (*path, key))


def _children(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()


def _too_deep(data: Any) -> Path:
    """Return the first path that is too deep, empty if none is; without recursion, so that it ends."""
    waiting: list[tuple[Path, Any]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            return path
        waiting += [((*path, key), item) for key, item in _children(value)]
    return ()


def _has_value(value: Any, path: Path) -> bool:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return value is not None
