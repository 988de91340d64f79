"""Explicit nulls: refused in ``values`` however they were sent, "not set" everywhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aistack.api.nulls import LAST_APPLIED, MAX_DEPTH, format_path
from aistack.api.parse import parse_stack
from aistack.errors import SpecError
from tests.bad_stacks import stack


def applied_by_kubectl(live_values: str, written_values: str) -> dict[str, Any]:
    """Return a stack as client-side ``kubectl apply`` leaves it: nulls are gone from the spec, not from the note."""
    live = stack("demo", f"{{components: [{{name: mlflow, values: {live_values}}}]}}")
    written = stack("demo", f"{{components: [{{name: mlflow, values: {written_values}}}]}}")
    live["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(written)}
    return live


@pytest.mark.parametrize(
    ("values", "path"),
    [
        pytest.param("{workers: null}", ".workers", id="setting"),
        pytest.param("{server: {hosts: {main: null}}}", ".server.hosts.main", id="deep"),
        pytest.param("{users: [a, null]}", ".users[1]", id="entry-of-a-list"),
        pytest.param("{users: [{name: a, admin: null}]}", ".users[0].admin", id="map-in-a-list"),
        pytest.param("{env: {a.b/c: null}}", ".env[a.b/c]", id="key-that-is-no-word"),
        pytest.param("{ratio: .nan}", ".ratio", id="not-a-number-becomes-null-in-json"),
        pytest.param("{ratio: -.inf}", ".ratio", id="infinity-becomes-null-in-json"),
    ],
)
def test_a_null_in_values_is_refused_with_its_path(values: str, path: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_stack(stack("demo", f"{{components: [{{name: mlflow, values: {values}}}]}}"))

    assert refused.value.field == f"spec.components[mlflow].values{path}"
    assert "leave the setting out" in refused.value.remedy
    assert ("no finite number" in refused.value.problem) is (".nan" in values or ".inf" in values)
    assert ("explicit null" in refused.value.problem) is ("null" in values)
    assert LAST_APPLIED not in str(refused.value)


@pytest.mark.parametrize(
    ("live", "written", "path"),
    [
        pytest.param("{}", "{workers: null}", ".workers", id="dropped-setting"),
        pytest.param("{a: {}}", "{a: {b: null}}", ".a.b", id="dropped-deep"),
        pytest.param("{a: [1, {}]}", "{a: [1, {b: null}]}", ".a[1].b", id="dropped-in-a-list"),
    ],
)
def test_a_null_that_kubectl_dropped_is_refused_too(live: str, written: str, path: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_stack(applied_by_kubectl(live, written))

    assert refused.value.field == f"spec.components[mlflow].values{path}"
    assert LAST_APPLIED in refused.value.problem
    assert "run kubectl apply" in refused.value.remedy
    assert f"kubectl annotate aistack NAME {LAST_APPLIED}-" in refused.value.remedy


def test_a_value_set_after_the_last_apply_settles_the_matter() -> None:
    demo = parse_stack(applied_by_kubectl("{workers: 3}", "{workers: null}"))

    assert demo.spec.component("mlflow").values == {"workers": 3}


@pytest.mark.parametrize(
    "note",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="no-json"),
        pytest.param("[]", id="no-object"),
        pytest.param('{"spec": null}', id="no-spec"),
        pytest.param('{"a":' * 1000 + "1" + "}" * 1000, id="nested-without-measure"),
        pytest.param('{"spec": {"components": {"mlflow": null}}}', id="components-of-a-wrong-shape"),
        pytest.param('{"spec": {"components": [{"name": "gone", "values": {"a": null}}]}}', id="component-that-left"),
    ],
)
def test_a_note_that_says_nothing_of_these_values_is_ignored(note: str) -> None:
    manifest = stack("demo", "{components: [{name: mlflow, values: {workers: 2}}]}")
    manifest["metadata"]["annotations"] = {LAST_APPLIED: note}

    assert parse_stack(manifest).spec.component("mlflow").values == {"workers": 2}


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"annotations": [1]}, id="annotations-as-a-list"),
        pytest.param({"annotations": "none"}, id="annotations-as-a-text"),
        pytest.param({"annotations": {LAST_APPLIED: 5}}, id="note-as-a-number"),
        pytest.param({"annotations": {LAST_APPLIED: ["{}"]}}, id="note-as-a-list"),
    ],
)
def test_metadata_of_a_wrong_shape_says_nothing_of_values(metadata: dict[str, Any]) -> None:
    manifest = stack("demo", "{components: [{name: mlflow, values: {workers: 2}}]}")
    manifest["metadata"] |= metadata

    assert parse_stack(manifest).spec.component("mlflow").values == {"workers": 2}


@pytest.mark.parametrize("metadata", [[1], "demo", 5])
def test_metadata_that_is_no_map_is_refused(metadata: Any) -> None:
    with pytest.raises(SpecError) as refused:
        parse_stack({**stack("demo", "{profile: starter}"), "metadata": metadata})

    assert refused.value.field == "metadata"


def nested(levels: int) -> Any:
    value: Any = 1
    for number in range(levels):
        value = {"a": value} if number % 2 else [value]
    return value


@pytest.mark.parametrize("levels", [200, 900, 100_000])
def test_values_nested_without_measure_are_refused_with_their_path(levels: int) -> None:
    manifest = stack("demo", "{components: [{name: mlflow}]}")
    manifest["spec"]["components"][0]["values"] = {"x": nested(levels)}

    with pytest.raises(SpecError) as refused:
        parse_stack(manifest)
    assert refused.value.field.startswith("spec.components[0].values.x")
    assert refused.value.problem == f"is nested deeper than {MAX_DEPTH} levels"


def test_values_that_hold_themselves_are_refused() -> None:
    manifest = stack("demo", "{components: [{name: mlflow, values: &a {x: *a}}]}")

    with pytest.raises(SpecError, match=r"spec\.components\[0\]\.values\.x.* is nested deeper"):
        parse_stack(manifest)


def test_values_nested_as_deep_as_anybody_writes_are_taken() -> None:
    manifest = stack("demo", "{components: [{name: mlflow}]}")
    manifest["spec"]["components"][0]["values"] = {"x": nested(MAX_DEPTH - 5)}

    assert parse_stack(manifest).spec.component("mlflow").values == {"x": nested(MAX_DEPTH - 5)}


def test_nulls_elsewhere_mean_not_set() -> None:
    spec = """
      profile: starter
      size:
      storage: {className: null}
      labels: {team: null}
      components: [{name: mlflow, version: null, values: null}]
    """
    demo = parse_stack(stack("demo", spec))

    assert demo.spec == parse_stack(stack("demo", "{profile: starter, components: [{name: mlflow}]}")).spec


def test_paths_read_as_kubectl_writes_them() -> None:
    assert format_path(("a", 0, "b-c", "d")) == ".a[0][b-c].d"
