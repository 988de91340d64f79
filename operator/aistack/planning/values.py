"""A component's values: checked against its schema, defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any


def resolve_values(schema: Mapping[str, Any], given: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return the given values with the schema's defaults filled in.

    Args:
        schema: the component's values.schema.json.
        given: what the user wrote.
        field: where, for messages.

    Raises:
        SpecError: an unknown value or one of the wrong type; with its path.
    """
    if given:  # a schema asks for nothing that has no default: 'aistack catalog check' sees to it
        from aistack.planning.refusals import check_values

        check_values(schema, given, field)
    return with_defaults(schema, given)


def with_defaults(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``given`` in which missing properties have their defaults, at every depth."""
    filled = _filled(schema, dict(given))
    return dict(filled)


def _filled(schema: Any, value: Any) -> Any:
    if not isinstance(schema, Mapping):
        return deepcopy(value)
    if isinstance(value, list):
        return [_filled(schema.get("items"), item) for item in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    result = {name: _filled(known.get(name, others), item) for name, item in value.items()}
    for name, sub in known.items():
        if name not in result and ("default" in sub or "properties" in sub):
            result[name] = _filled(sub, deepcopy(sub.get("default", {})))
    return result
