"""Shapes: what planning reads of a rendered object is what it takes it for; the rest is the API server's to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aistack.objects.manifest import Manifest
from aistack.objects.quantity import parse_quantity
from aistack.planning.pods import pod_template


@dataclass(frozen=True)
class Leaf:
    """A value that isn't looked into: what it must be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_quantity(value: Any) -> bool:
    try:
        return bool(parse_quantity(value) >= 0)
    except ValueError:
        return False


Shape = Leaf | list["Shape"] | Mapping[str, "Shape"]
"""A leaf, a list of one shape, or a map: of fields (``name!`` must be there) or, by ``*``, of whatever fields."""

TEXT = Leaf("a text", lambda value: isinstance(value, str))
NAME = Leaf("a text that isn't empty", lambda value: isinstance(value, str) and value != "")
COUNT = Leaf("a whole number from 0 on", _is_count)
QUANTITY = Leaf("a quantity such as 500m or 2Gi", _is_quantity)
MAP: Shape = {}
TEXTS: Shape = {"*": TEXT}
NAMED: Shape = {"name!": NAME}

_HANDLER: Shape = {"httpGet": MAP}
_CONTAINER: Shape = {
    "name!": NAME,
    "image": TEXT,
    "ports": [MAP],
    "env": [{"name!": NAME, "valueFrom": {"configMapKeyRef": NAMED, "secretKeyRef": NAMED}}],
    "envFrom": [{"configMapRef": NAMED, "secretRef": NAMED}],
    "resources": {"requests": {"cpu": QUANTITY, "memory": QUANTITY}},
    "securityContext": MAP,
    "startupProbe": _HANDLER,
    "livenessProbe": _HANDLER,
    "readinessProbe": _HANDLER,
    "lifecycle": {"*": _HANDLER},
}
_VOLUME: Shape = {
    "name!": NAME,
    "configMap": MAP,
    "secret": MAP,
    "projected": {"sources": [{"configMap": MAP, "secret": MAP}]},
}
_POD: Shape = {
    "containers!": [_CONTAINER],
    "initContainers": [_CONTAINER],
    "volumes": [_VOLUME],
    "securityContext": MAP,
}
_TEMPLATE: Shape = {"metadata": {"labels": TEXTS, "annotations": TEXTS}, "spec!": _POD}
_WORKLOAD: Shape = {
    "spec!": {
        "template!": _TEMPLATE,
        "replicas": COUNT,
        "selector": {"matchLabels": TEXTS},
        "volumeClaimTemplates": [{"metadata!": NAMED, "spec!": MAP}],
    }
}
_OBJECT: Shape = {"metadata!": {"labels": TEXTS, "annotations": TEXTS}}
_KINDS: Mapping[str, Shape] = {
    "Deployment": _WORKLOAD,
    "StatefulSet": _WORKLOAD,
    "DaemonSet": _WORKLOAD,
    "CronJob": {"spec!": {"jobTemplate!": _WORKLOAD}},
    "PersistentVolumeClaim": {"spec!": {"resources!": {"requests!": {"storage!": QUANTITY}}}},
    "Service": {"spec": {"ports": [{"port!": COUNT}], "selector": TEXTS}},
    "Secret": {"type": TEXT, "data": TEXTS, "stringData": TEXTS},
    "Role": {"rules": [{"apiGroups": [TEXT], "resources": [TEXT], "verbs": [TEXT]}]},
    "RoleBinding": {"roleRef!": {"kind": TEXT, "name": TEXT}, "subjects": [{"kind": TEXT, "name": TEXT}]},
}


def misshapen(manifest: Manifest) -> str:
    """Say what is wrong with a rendered object that has no nulls; empty if planning can read it."""
    for shape in (_OBJECT, _KINDS.get(manifest["kind"], MAP)):
        if problem := next(_problems(shape, manifest, ""), ""):
            return problem
    template = pod_template(manifest)  # kinds that we don't know may start pods as well
    return next(_problems(_TEMPLATE, template, ".spec.template"), "") if template is not None else ""


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, Leaf):
        if not shape.holds(value):
            yield f"{path[1:]} must be {shape.words}, not {value!r:.60}"
    elif isinstance(shape, list):
        yield from _of_list(shape[0], value, path)
    elif isinstance(value, dict):
        yield from _of_map(shape, value, path)
    else:
        yield f"{path[1:]} must be a map, not {value!r:.60}"


def _of_list(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path[1:]} must be a list, not {value!r:.60}"
        return
    for i, item in enumerate(value):
        yield from _problems(shape, item, f"{path}[{i}]")


def _of_map(shape: Mapping[str, Shape], value: Mapping[str, Any], path: str) -> Iterator[str]:
    for field, inner in shape.items():
        name = field.removesuffix("!")
        if name != field and name not in value:
            yield f"{path[1:]}.{name} is missing".removeprefix(".")
        for known in value if name == "*" else (name,) if name in value else ():
            yield from _problems(inner, value[known], f"{path}.{known}")
