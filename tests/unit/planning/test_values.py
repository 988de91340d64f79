"""Values: checked against the component's schema with a message that says what to write; defaults at every depth."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.errors import SpecError
from aistack.planning.refusals import MAX_SHOWN, check_values
from aistack.planning.values import resolve_values, with_defaults
from tests.toy import plan, starter

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "$defs": {"port": {"type": "integer"}},
    "properties": {
        "workers": {"type": "integer", "minimum": 1, "maximum": 32, "default": 2, "description": "Server processes."},
        "debug": {"type": "boolean", "default": False, "description": "Says more."},
        "level": {"enum": ["info", "warn"], "default": "info", "description": "What is logged."},
        "hosts": {"type": "array", "items": {"type": "string"}, "default": [], "description": "Names."},
        "tags": {
            "type": "array",
            "items": {"pattern": "^[a-z]$", "description": "A small letter."},
            "uniqueItems": True,
            "default": [],
            "description": "Tags.",
        },
        "users": {"type": "array", "items": {"type": "object", "properties": {"admin": {"default": False}}}},
        "limits": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"rate": {"type": "number", "default": 1.5}, "burst": {"type": "integer", "default": 3}},
        },
        "routes": {"type": "object", "additionalProperties": {"properties": {"port": {"default": 80}}}},
        "cache": {"type": "object", "default": {"on": True}, "properties": {"size": {"default": 10}}},
        "note": {"type": "string"},
        "host": {"type": "string", "pattern": "^[a-z.]+$", "description": "A DNS name."},
        "port": {"$ref": "#/$defs/port", "description": "A port."},
        "price": {"type": "string", "pattern": "^[0-9]+\\$"},
    },
}
DEFAULTS = {
    "workers": 2,
    "debug": False,
    "level": "info",
    "hosts": [],
    "tags": [],
    "limits": {"rate": 1.5, "burst": 3},
    "cache": {"on": True, "size": 10},
}

REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "misspelt": ({"worker": 2}, "values.worker", "is not a value of this component", "did you mean 'workers'?"),
    "unknown": ({"zzz": 2}, "values.zzz", "is not a value of this component", "choose one of: cache, debug, host"),
    "unknown-inside": ({"limits": {"brust": 1}}, "values.limits.brust", "is not a value", "did you mean 'burst'?"),
    "unknown-with-a-dot": ({"a.b": 1}, "values[a.b]", "is not a value of this component", "choose one of"),
    "text-for-a-number": ({"workers": "4"}, "values.workers", "'4' is not of type 'integer'", "Server processes."),
    "fraction-for-an-integer": ({"workers": 2.5}, "values.workers", "2.5 is not of type 'integer'", "(default 2)"),
    "whole-fraction": ({"workers": 2.0}, "values.workers", "2.0 is not of type 'integer'", "(default 2)"),
    "bool-for-an-integer": ({"workers": True}, "values.workers", "True is not of type 'integer'", "Server processes."),
    "number-for-a-bool": ({"debug": 1}, "values.debug", "1 is not of type 'boolean'", "Says more."),
    "too-small": ({"workers": 0}, "values.workers", "0 is less than the minimum of 1", "Server processes."),
    "too-large": ({"workers": 33}, "values.workers", "33 is greater than the maximum of 32", "Server processes."),
    "no-choice": ({"level": "all"}, "values.level", "'all' is not one of ['info', 'warn']", "What is logged."),
    "entry-of-a-list": ({"hosts": ["a", 1]}, "values.hosts[1]", "1 is not of type 'string'", "expected: Names."),
    "entry-that-repeats": ({"tags": ["a", "a"]}, "values.tags", "has non-unique elements", "expected: Tags."),
    "entry-that-says-what-it-is": ({"tags": ["A"]}, "values.tags[0]", "'A' does not match", "A small letter."),
    "text-for-a-list": ({"hosts": "a"}, "values.hosts", "'a' is not of type 'array'", "Names."),
    "no-match": ({"host": "A b"}, "values.host", "'A b' does not match '^[a-z.]+$'", "A DNS name."),
    "line-break-at-the-end": ({"host": "a.b\n"}, "values.host", "'a.b\\n' does not match", "A DNS name."),
    "described-elsewhere": ({"port": "x"}, "values.port", "'x' is not of type 'integer'", "A port."),
    "list-for-a-map": ({"limits": []}, "values.limits", "[] is not of type 'object'", ""),
}


@pytest.mark.parametrize(("given", "field", "problem", "remedy"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_value_is_named_with_what_to_write(
    given: dict[str, Any], field: str, problem: str, remedy: str
) -> None:
    with pytest.raises(SpecError) as refused:
        resolve_values(SCHEMA, given, "spec.components[mlflow].values")
    assert refused.value.field == f"spec.components[mlflow].{field}"
    assert problem in refused.value.problem
    assert remedy in refused.value.remedy


OURS = {
    "home-of-no-size": ("jupyterhub", "{homeSize: 0Gi}", "homeSize: '0Gi' does not match"),
    "no-buffers": ("postgres", "{sharedBuffers: 0MB}", "sharedBuffers: '0MB' does not match"),
    "no-memory": ("postgres", "{workMem: 0kB}", "workMem: '0kB' does not match"),
    "no-log": ("postgres", "{maxWalSize: 0MB}", "maxWalSize: '0MB' does not match"),
    "user-in-capitals": ("jupyterhub", "{users: [Admin!]}", "users[0]: 'Admin!' does not match"),
}


@pytest.mark.parametrize(("component", "given", "says"), OURS.values(), ids=OURS)
def test_values_of_our_components_that_cannot_work_are_told_with_what_is_expected(
    component: str, given: str, says: str
) -> None:
    with pytest.raises(SpecError) as refused:
        plan(f"{{profile: starter, components: [{{name: {component}, values: {given}}}]}}", catalog=starter())
    assert f"spec.components[{component}].values.{says}" in str(refused.value)
    assert "; expected: " in str(refused.value)


def test_a_huge_wrong_value_is_not_repeated_whole() -> None:
    with pytest.raises(SpecError) as refused:
        resolve_values(SCHEMA, {"workers": "9" * 100_000}, "values")
    assert len(str(refused.value)) < MAX_SHOWN + 200


FILLED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "one-value": ({"workers": 4}, {"workers": 4}),
    "a-match": ({"host": "a.b", "price": "5$"}, {"host": "a.b", "price": "5$"}),
    "a-value-without-default": ({"note": "x"}, {"note": "x"}),
    "a-false-value-is-kept": ({"debug": False, "hosts": []}, {}),
    "one-value-inside": ({"limits": {"rate": 9}}, {"limits": {"rate": 9, "burst": 3}}),
    "entries-of-a-list": ({"users": [{}, {"admin": True}]}, {"users": [{"admin": False}, {"admin": True}]}),
    "entries-of-a-map": ({"routes": {"a": {}}}, {"routes": {"a": {"port": 80}}}),
    "a-map-with-a-default": ({"cache": {"on": False}}, {"cache": {"on": False, "size": 10}}),
}


@pytest.mark.parametrize(("given", "differs"), FILLED.values(), ids=FILLED)
def test_defaults_are_filled_in_at_every_depth(given: dict[str, Any], differs: dict[str, Any]) -> None:
    assert resolve_values(SCHEMA, given, "values") == DEFAULTS | differs


def test_neither_the_schema_nor_the_input_is_ever_changed() -> None:
    given: dict[str, Any] = {"limits": {}}
    filled = with_defaults(SCHEMA, given)
    filled["hosts"].append("changed")
    filled["cache"]["on"] = "changed"
    assert given == {"limits": {}}
    assert with_defaults(SCHEMA, {}) == DEFAULTS


def test_a_component_without_values_says_so() -> None:
    schema = {"type": "object", "additionalProperties": False, "properties": {}}
    with pytest.raises(SpecError, match=r"values\.a: is not a value of this component; it takes no values here"):
        resolve_values(schema, {"a": 1}, "values")


def test_no_pattern_keeps_the_operator_busy() -> None:
    """Components come from anybody, and so do values: for this pair Python's own engine would need years."""
    schema = {"type": "object", "properties": {"word": {"type": "string", "pattern": "^(a+)+$"}}}
    with pytest.raises(SpecError, match="does not match"):
        check_values(schema, {"word": "a" * 5000 + "b"}, "spec.components[0].values")
