"""Refusals of a component's values, in words: the only part of planning that needs jsonschema.

A module of its own because loading jsonschema takes longer than planning does, and most stacks set no values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from aistack.api.nulls import format_path
from aistack.api.parse import suggest
from aistack.errors import SpecError

MAX_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


def _is_integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _matches(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """Check a pattern in time that grows with the text alone; ``$`` is the very end, as JSON Schema means it."""
    if isinstance(value, str) and not re2.search(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = extend(  # type: ignore[no-untyped-call] # jsonschema has no types here
    Draft202012Validator,
    validators={"pattern": _matches},
    # JSON Schema takes 2.0 for an integer, and a tool would be told "2.0".
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


def check_values(schema: Mapping[str, Any], given: Mapping[str, Any], field: str) -> None:
    """Check values against a component's schema.

    Raises:
        SpecError: an unknown value or one of the wrong type; with its path.
    """
    error = best_match(_Validator(schema).iter_errors(given))
    if error:
        raise _refusal(error, field, schema)


def _refusal(error: ValidationError, field: str, whole: Mapping[str, Any]) -> SpecError:
    path = field + format_path(tuple(error.absolute_path))
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        return _unknown(path, error.instance, list(schema.get("properties", {})))
    problem, shown = error.message, repr(error.instance)
    if len(shown) > MAX_SHOWN:
        problem = problem.replace(shown, f"{shown[:MAX_SHOWN]}…")
    return SpecError(path, problem, _expected(_described(whole, error.absolute_schema_path)))


def _described(schema: Any, path: Iterable[str | int]) -> Mapping[str, Any]:
    """Return the innermost schema on the way to what failed that says what it is for."""
    found: Mapping[str, Any] = {}
    for part in path:
        if isinstance(schema, Mapping) and schema.get("description"):
            found = schema
        try:
            schema = schema[part]
        except (KeyError, IndexError, TypeError):  # what follows is in another place, as a $ref says
            break
    return found


def _unknown(path: str, given: Mapping[str, Any], known: list[str]) -> SpecError:
    unknown = min(set(given) - set(known))
    remedy = suggest(unknown, known) if known else "it takes no values here"
    return SpecError(path + format_path((unknown,)), "is not a value of this component", remedy)


def _expected(schema: Mapping[str, Any]) -> str:
    about, example = schema.get("description", ""), schema.get("default")
    return f"expected: {about} (default {example!r})" if about and example is not None else about
