"""What a values.schema.json must say so that people can use it: every value's meaning and default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match

from aistack.catalog.references import compilable

_COSTLY = {
    "$ref": "leads elsewhere; write what it means, or refer to a place in this file: #/$defs/name",
    "$dynamicRef": "leads elsewhere; write what it means",
    "patternProperties": 'isn\'t taken; list the properties, or write "additionalProperties" with a schema',
}
"""What is wrong with keys that nobody needs, unless they name a place of the same file."""
Path = tuple[str | int, ...]
Problem = tuple[Path, str]
"""Where in the schema, and what is wrong."""


def schema_problems(schema: Any) -> Iterator[Problem]:
    """Yield what is wrong with a component's schema of values."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield tuple(error.absolute_path), f"is no valid JSON schema: {error.message}"
        return
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        yield (), 'must describe an object: "type": "object"'
        return
    costly = list(_costly((), schema))
    yield from costly or _object((), schema)


def properties_of(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every value that can be set, by its dotted name, with its schema."""
    for name, sub in schema.get("properties", {}).items():
        if _is_group(sub):
            yield from properties_of(sub, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", sub


def _is_group(schema: Mapping[str, Any]) -> bool:
    """Whether a property is only there to hold others."""
    return bool(schema.get("properties")) and "default" not in schema


def _object(path: Path, schema: Mapping[str, Any]) -> Iterator[Problem]:
    if schema.get("additionalProperties") is not False:
        yield path, 'lets misspelt values pass; write "additionalProperties": false'
    if schema.get("required"):
        yield (*path, "required"), "asks for values; give each of them a default instead"
    for name, sub in schema.get("properties", {}).items():
        here = (*path, "properties", name)
        if not sub.get("description"):
            yield here, "has no description"
        if _is_group(sub):
            yield from _object(here, sub)
        else:
            yield from _default(here, sub)


def _costly(path: Path, schema: Any) -> Iterator[Problem]:
    """Yield what a value could keep us busy with, or lead us away: schemas come from anybody."""
    if isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from _costly((*path, number), item)
    if not isinstance(schema, Mapping):
        return
    for key in _COSTLY.keys() & schema.keys():
        if not isinstance(schema[key], str) or not schema[key].startswith("#"):
            yield (*path, key), _COSTLY[key]
    if isinstance(schema.get("pattern"), str):
        try:
            compilable(schema["pattern"])
        except ValueError as error:
            yield (*path, "pattern"), str(error)
    for key, inner in schema.items():
        yield from _costly((*path, key), inner)


def _default(path: Path, schema: Mapping[str, Any]) -> Iterator[Problem]:
    if "default" not in schema:
        yield path, "has no default"
        return
    error = best_match(Draft202012Validator(schema).iter_errors(schema["default"]))
    if error:
        yield (*path, "default"), f"doesn't follow its own schema: {error.message}"
