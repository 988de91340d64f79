"""Differences fit to be shown."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.objects.diff import HIDDEN, HIDDEN_CHANGED, FieldChange, field_changes, project


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="equal"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, [(".a.b", 1, 2), (".a.c", None, 3)], id="nested"),
        pytest.param({"a": 1}, {}, [(".a", 1, None)], id="removed"),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, [(".a", [1, 2], [2, 1])], id="plain lists whole"),
        pytest.param(
            {"c": [{"name": "x", "i": 1}, {"name": "y"}]},
            {"c": [{"name": "y"}, {"name": "x", "i": 2}]},
            [('.c[name="x"].i', 1, 2)],
            id="named items by name, not by place",
        ),
        pytest.param(
            {"metadata": {"uid": "1", "resourceVersion": "1", "managedFields": []}, "status": {"x": 1}},
            {"metadata": {"uid": "2", "generation": 3}, "status": {"x": 2}},
            [],
            id="what the server writes",
        ),
        pytest.param({"a": True}, {"a": 1}, [(".a", True, 1)], id="a boolean is no number"),
    ],
)
def test_fields_are_compared(before: Any, after: Any, changes: list[tuple[str, Any, Any]]) -> None:
    assert field_changes(before, after) == tuple(FieldChange(*change) for change in changes)


def test_values_of_secrets_are_never_shown() -> None:
    before = {"kind": "Secret", "data": {"same": "c2VjcmV0", "changed": "b2xk", "gone": "Z29uZQ=="}, "type": "Opaque"}
    after = {"kind": "Secret", "data": {"same": "c2VjcmV0", "changed": "bmV3", "new": "bmV3"}, "type": "Other"}

    assert field_changes(before, after) == (
        FieldChange(".data.changed", HIDDEN, HIDDEN_CHANGED),
        FieldChange(".data.gone", HIDDEN, None),
        FieldChange(".data.new", None, HIDDEN),
        FieldChange(".type", "Opaque", "Other"),
    )


def test_a_new_secret_is_masked_whole() -> None:
    shown = field_changes({}, {"kind": "Secret", "stringData": {"password": "hunter2"}})

    assert "hunter2" not in str(shown)


def test_defaults_of_the_server_are_projected_away() -> None:
    live = {"spec": {"replicas": 1, "strategy": {"type": "Rolling"}, "containers": [{"name": "c", "policy": "x"}]}}
    wanted = {"spec": {"replicas": 2, "containers": [{"name": "c"}], "paused": True}}

    assert project(live, wanted) == {"spec": {"replicas": 1, "containers": [{"name": "c"}]}}
