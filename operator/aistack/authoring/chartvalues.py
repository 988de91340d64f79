"""Values of a drafted chart: what is turned off, and what only a stack knows, as expressions of a template. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from aistack.catalog.charts import RELEASE
from aistack.catalog.models import Image

_OFF = re.compile(
    r"(networkPolicy|ingress|httpRoute|autoscaling|serviceMonitor|podMonitor|podDisruptionBudget|pdb|rbac|tests?)$"
)
"""Names of values with ``enabled`` or ``create`` for what a stack makes itself, or can't have."""
_Path = tuple[str, ...]


def turned_off(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that turn off what a stack makes itself or can't have, and the name of all objects."""
    found: dict[str, Any] = {"fullnameOverride": RELEASE} if "fullnameOverride" in defaults else {}
    for name, value in defaults.items():
        if not isinstance(value, dict):
            continue
        if off := {
            key: False for key in ("enabled", "create") if _OFF.match(name) and isinstance(value.get(key), bool)
        }:
            found[name] = off
        elif name == "serviceAccount" and isinstance(value.get("create"), bool):
            found[name] = {"create": False}
        elif inner := {k: v for k, v in turned_off(value).items() if isinstance(v, dict)}:
            found[name] = inner
    return found


def with_expressions(
    values: Mapping[str, Any], defaults: Mapping[str, Any], images: Mapping[str, Image], *, storage: bool
) -> dict[str, Any]:
    """Return the values with what only a stack knows: names, images, volumes."""
    result: dict[str, Any] = {**values}
    if "fullnameOverride" in values:
        result["fullnameOverride"] = Expression("name()")
    for path, value in _image_values(defaults, ()):
        last = str(value["repository"]).rpartition("/")[2]
        if named := [name for name, image in images.items() if image.repository.rpartition("/")[2] == last]:
            _put(result, path, _image_parts(named[0], value))
    persistence = defaults.get("persistence")
    if storage and isinstance(persistence, dict) and "size" in persistence:
        names = [key for key in ("storageClass", "storageClassName") if key in persistence]
        classes = {key: Expression('storage("data").className') for key in names}
        result["persistence"] = {"enabled": True, "size": Expression('storage("data").size'), **classes}
    return result


def _image_values(values: Mapping[str, Any], path: _Path) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    for name, value in values.items():
        if isinstance(value, dict):
            if isinstance(value.get("repository"), str) and "tag" in value:
                yield (*path, name), value
            else:
                yield from _image_values(value, (*path, name))


def _image_parts(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    parts = f'image_parts("{name}")'
    split = "registry" in value
    first = {"registry": Expression(f"{parts}.registry")} if split else {}
    return {
        **first,
        "repository": Expression(f"{parts}.{'path' if split else 'repository'}"),
        "tag": Expression(f"{parts}.tag"),
    }


def _put(values: dict[str, Any], path: _Path, value: Mapping[str, Any]) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = {**values.get(path[-1], {}), **value}


@dataclass(frozen=True)
class Expression:
    """What a template fills in."""

    code: str


def values_text(values: Mapping[str, Any]) -> str:
    """Write values as YAML with expressions."""
    codes: list[str] = []

    def marked(value: Any) -> Any:
        if isinstance(value, Expression):
            codes.append(value.code)
            return f"EXPRESSION-{len(codes) - 1}"
        return {key: marked(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value

    text = yaml.safe_dump(marked(values), sort_keys=False) if values else ""
    return re.sub("EXPRESSION-([0-9]+)", lambda found: f"{{{{ {codes[int(found[1])]} }}}}", text).rstrip()
