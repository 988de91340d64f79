"""Explicit nulls in a stack: refused where they would be lost, dropped where Kubernetes drops them.

Elsewhere ``null`` means "not set", and the API server drops it. Inside ``values`` it might mean something to a tool,
and whether it arrives depends on how it was sent: server-side apply and create keep it, client-side ``kubectl apply``
drops it, but leaves a trace in its annotation. Therefore both the object and that annotation are searched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import orjson

from aistack.errors import SpecError

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Path = tuple[str | int, ...]


def refuse_nulls_in_values(stack: Mapping[str, Any]) -> None:
    """Check that no component's ``values`` hold a null, nor held one that kubectl dropped.

    Raises:
        SpecError: naming the first null's path.
    """
    values, applied = _values(stack), _values(_last_applied(stack))
    for name in values:
        for path in _nulls(values[name]):
            raise _refusal(name, path)
        for path in _nulls(applied.get(name)):
            if not _has_value(values[name], path):
                raise _refusal(name, path)


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


def _refusal(component: str, path: Path) -> SpecError:
    return SpecError(
        f"spec.components[{component}].values{format_path(path)}",
        "is an explicit null, or no finite number; both may be dropped silently on the way to the operator",
        "leave the setting out to get its default, or write a value; then apply again",
    )


def _last_applied(stack: Mapping[str, Any]) -> Any:
    annotations = (stack.get("metadata") or {}).get("annotations") or {}
    try:
        return orjson.loads(annotations.get(LAST_APPLIED) or "{}")
    except orjson.JSONDecodeError:
        return {}  # Anyone may write an annotation; a broken one says nothing about the spec.


def _values(stack: Any) -> dict[str, Any]:
    """Map each component's name to its ``values``; parts of a wrong shape are left to the models to refuse."""
    spec = stack.get("spec") if isinstance(stack, Mapping) else None
    components = spec.get("components") if isinstance(spec, Mapping) else None
    entries = components if isinstance(components, list) else []
    return {str(e.get("name")): e.get("values") or {} for e in entries if isinstance(e, Mapping)}


def _nulls(value: Any, path: Path = ()) -> Iterator[Path]:
    if path and (value is None or (isinstance(value, float) and not isfinite(value))):
        yield path
    children = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield from _nulls(item, (*path, key))


def _has_value(value: Any, path: Path) -> bool:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return value is not None
