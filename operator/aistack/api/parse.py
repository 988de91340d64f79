"""From plain data to an :class:`~aistack.api.spec.AIStack`, with errors that a user can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aistack.api.group import API_VERSION, KIND
from aistack.api.nulls import Path, drop_nulls, format_path, refuse_depth, refuse_nulls_in_values
from aistack.api.rules import RULE_ERROR
from aistack.api.spec import AIStack
from aistack.api.status import AIStackStatus
from aistack.api.structural import structural_schema
from aistack.errors import SpecError

_REMEDIES: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "add it"),
    "string_type": ("must be text", "write it in quotes if it looks like a number, true, false or a date"),
    "bool_type": ("must be true or false", "write it without quotes"),
    "int_type": ("must be a whole number", "write it without quotes"),
    "dict_type": ("must be a map", "write it as key: value"),
    "model_type": ("must be a map", "write it as key: value"),
    "tuple_type": ("must be a list", "start each entry with '- '"),
}
"""What is wrong and what to do instead, for pydantic's types of errors."""


def parse_stack(data: Mapping[str, Any]) -> AIStack:
    """Read an AIStack from parsed YAML or from the API server's JSON.

    Nulls mean "not set", as they do to the API server, except in ``values``, where they are refused. Metadata that we
    don't use is ignored.

    Raises:
        SpecError: the first field that is wrong: its path, what is wrong, what to write instead.
    """
    _check_kind(data)
    refuse_depth(data)
    refuse_nulls_in_values(data)
    asked = {key: drop_nulls(value) for key, value in data.items() if key != "status"}
    try:
        sent = orjson.dumps(asked, option=orjson.OPT_NON_STR_KEYS)
        stack = AIStack.model_validate_json(sent, strict=True, by_alias=True, by_name=False)
    except orjson.JSONEncodeError as error:
        raise SpecError("spec", str(error), "write text, numbers, true, false, lists and maps only") from None
    except ValidationError as error:
        raise _spec_error(error.errors(include_url=False)[0], data) from None
    return stack.model_copy(update={"status": parse_status(data.get("status"))})


def suggest(given: str, known: Iterable[str]) -> str:
    """Say which of the ``known`` names was probably meant, or list them."""
    names = sorted(known)
    close = get_close_matches(given, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose one of: {', '.join(names)}"


def _check_kind(data: Mapping[str, Any]) -> None:
    for field, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        if data.get(field) != wanted:
            raise SpecError(field, f"is {data.get(field)!r}", f"write {wanted}")


def parse_status(data: Any) -> AIStackStatus:
    """Read a status; one that another version of the operator wrote and that we can't read counts as none."""
    try:
        return AIStackStatus.model_validate(drop_nulls(data or {}))
    except ValidationError:
        return AIStackStatus()


def _spec_error(error: ErrorDetails, data: Mapping[str, Any]) -> SpecError:
    location = error["loc"]
    field = "".join(_steps(location, data)).removeprefix(".")
    return SpecError(field, *_problem(error, location))


def _problem(error: ErrorDetails, location: Path) -> tuple[str, str]:
    given, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case kind if kind == RULE_ERROR:
            problem = f"{given!r} {context['problem']}" if isinstance(given, str) else context["problem"]
            return problem, context["remedy"]
        case "extra_forbidden":
            return "is no field that AIStack knows", suggest(str(location[-1]), _known_fields(location[:-1]))
        case "enum":
            return f"{given!r} is not allowed", f"choose one of: {context['expected']}"
        case "string_too_long" | "string_too_short":
            return f"{given!r} has {len(given)} characters", error["msg"].replace("String should have", "write")
        case kind:
            return _REMEDIES.get(kind, (error["msg"], ""))


def _steps(location: Path, data: Any) -> Iterator[str]:
    """Write each step of a path, an entry of a list by its ``name`` where it has one."""
    for part in location:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
        name = data.get("name") if isinstance(part, int) and isinstance(data, Mapping) else None
        yield f"[{name}]" if isinstance(name, str) else format_path((part,))


def _known_fields(location: Path) -> Iterable[str]:
    schema = structural_schema(AIStack)
    for part in location:
        schema = schema["items"] if isinstance(part, int) else schema["properties"][part]
    return list(schema["properties"])
