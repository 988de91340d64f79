"""What ``helm template`` writes, as documents with the templates that made them, and how two such results differ."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import yaml

from aistack.catalog.charts import ChartObject, ChartObjects
from aistack.objects.diff import field_changes
from aistack.objects.manifest import canonical
from aistack.objects.strict import StrictLoader

MAX_OBJECTS = 500
"""Most objects that one chart may make."""
_SOURCE = re.compile(r"^---\n# Source: (.*)$", re.MULTILINE)
_CHECKSUM = re.compile(r"(^|[./-])checksum([./-]|$)")
"""Annotations that charts write so that pods follow what they mount; the operator has its own ways for that."""


def documents(text: str) -> ChartObjects:
    """Parse what helm wrote.

    Raises:
        ValueError: it isn't YAML, a map with a key twice, or too much; with the template's name.
    """
    head, *parts = _SOURCE.split(text)
    found = [] if not head.strip() else _parsed("(no template)", head)
    for template, part in zip(parts[::2], parts[1::2], strict=True):
        found += _parsed(template.strip(), part.removeprefix("\n"))
        if len(found) > MAX_OBJECTS:
            raise ValueError(f"it makes more than {MAX_OBJECTS} objects")
    return tuple(found)


def _parsed(template: str, text: str) -> list[ChartObject]:
    try:
        loaded = [d for d in yaml.load_all(text, Loader=StrictLoader) if d is not None]
        for document in loaded:
            canonical(document)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise ValueError(f"{template}: {_words(error)}") from None
    return [ChartObject(template, without_checksums(document)) for document in loaded]


def _words(error: Exception) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return str(error)
    line = f" (line {error.problem_mark.line + 1} of what it renders to)" if error.problem_mark else ""
    return f"{error.problem}{line}"


def without_checksums(value: Any) -> Any:
    """Return a document whose annotations hold no checksums of other objects."""
    if isinstance(value, Mapping):
        return {
            key: {k: v for k, v in item.items() if not (isinstance(k, str) and _CHECKSUM.search(k))}
            if key == "annotations" and isinstance(item, Mapping)
            else without_checksums(item)
            for key, item in value.items()
        }
    return [without_checksums(item) for item in value] if isinstance(value, list) else value


def difference(first: ChartObjects, second: ChartObjects, secrets: Collection[str]) -> str:
    """Name the first object and field in which two results of one request differ; empty if they are the same.

    Args:
        first: a result.
        second: another one.
        secrets: names of the Secrets that may differ, as they are made once.
    """
    ours, theirs = _by_name(first), _by_name(second)
    for name in ours.keys() ^ theirs.keys():
        return name
    for name, document in ours.items():
        if canonical(document) == canonical(theirs[name]) or _is_kept(document, secrets):
            continue
        changes = field_changes(document, theirs[name])
        return f"{name}: {changes[0].path.removeprefix('.')}" if changes else name
    return ""


def _by_name(objects: ChartObjects) -> dict[str, Any]:
    return {_name(o.document, n): o.document for n, o in enumerate(objects)}


def _name(document: Any, number: int) -> str:
    try:
        return f"{document['kind']} {document['metadata']['name']}"
    except (KeyError, TypeError):
        return f"document {number}"


def _is_kept(document: Any, secrets: Collection[str]) -> bool:
    return isinstance(document, dict) and document.get("kind") == "Secret" and document["metadata"]["name"] in secrets
