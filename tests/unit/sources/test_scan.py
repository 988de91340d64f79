"""Scanning: what templates call, told apart from what only looks like it."""

from __future__ import annotations

import pytest

from aistack.sources.chartfiles import ChartError, read_folder
from aistack.sources.scan import calls_by_chance, facts_of, lookups, may_differ, references
from tests.charts import SHOP


def found(text: str, path: str = "templates/x.yaml") -> list[str]:
    return [str(error) for error in lookups({path: text.encode()}, "chart")]


CALLS = {
    "plain": '{{ lookup "v1" "Secret" "ns" "name" }}',
    "in-an-if": '{{- if (lookup "v1" "Secret" "ns" "name") }}x{{ end }}',
    "piped": '{{ "name" | lookup "v1" "Secret" "ns" }}',
    "after-a-text": '{{ printf "%s" "lookup" }}{{ lookup "a" "b" "c" "d" }}',
    "over-lines": '{{- $x :=\n  lookup "v1" "Secret" "ns" "name" }}',
}
NO_CALLS = {
    "text": "lookup: {{ .Values.x }}",
    "value": "{{ .Values.lookup }}",
    "variable": "{{ $lookup }}",
    "template": '{{ include "common.lookup" . }}',
    "raw-text": "{{ `lookup` }}",
    "comment": "{{/* lookup, as it was done once */}}",
    "comment-of-yaml": "# lookup {{ .Values.x }}",
    "other-word": "{{ lookups }}",
}


@pytest.mark.parametrize("text", CALLS.values(), ids=CALLS)
def test_a_call_of_lookup_is_found(text: str) -> None:
    assert len(found(text)) == 1


@pytest.mark.parametrize("text", NO_CALLS.values(), ids=NO_CALLS)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "path", ["templates/a/_x.tpl", "charts/lib/templates/x.yaml", "charts/a-1.0/charts/b/templates/x"]
)
def test_it_is_found_in_helpers_and_subcharts_by_file_and_line(path: str) -> None:
    (problem,) = found('a: b\n---\nc: {{ lookup "v1" "Pod" "" "" }}\n', path)
    assert problem.startswith(f"chart/{path}:3: calls lookup")
    assert "chart.without" in problem


def test_files_that_are_no_templates_are_not_looked_at() -> None:
    assert found(CALLS["plain"], "files/x.yaml") == []


@pytest.mark.parametrize("word", ["now", "randAlphaNum 8", 'genCA "a" 1', "uuidv4", 'htpasswd "a" "b"', "keys .Values"])
def test_what_may_come_out_otherwise_the_next_time(word: str) -> None:
    assert calls_by_chance(f"a: {{{{ {word} }}}}")
    assert not calls_by_chance(f"a: {word}")
    assert may_differ({"values.yaml": f"a: '{{{{ {word} }}}}'".encode()}), "values may be run as templates"


@pytest.mark.parametrize(
    "place", ["https://evil.example/x.json", "http://127.0.0.1:8080", "file:///etc/passwd", "x.json"]
)
def test_a_schema_that_leads_elsewhere_is_refused_by_file_and_line(place: str) -> None:
    schema = f'{{"properties": {{\n  "a": {{"$ref": "{place}"}},\n  "b": {{"$ref": "#/definitions/b"}}}}}}'
    (problem,) = references({"charts/lib/values.schema.json": schema.encode()}, "chart")
    assert str(problem).startswith(f"chart/charts/lib/values.schema.json:2: refers to '{place}', outside of itself")


def test_facts() -> None:
    files = {**read_folder(SHOP / "chart"), "charts/lib/crds/things.yaml": b"kind: CustomResourceDefinition"}
    facts = facts_of(files)
    assert (facts.name, facts.version) == ("shop", "0.3.0")
    assert facts.definitions == ("charts/lib/crds/things.yaml",)
    assert facts.tests == ("templates/tests/test.yaml",)


@pytest.mark.parametrize("text", ["name: [", "- a", "name: web", "name: web\nversion: 1.0\n", "a: &a [*a]"])
def test_a_chart_that_does_not_say_what_it_is(text: str) -> None:
    with pytest.raises(ChartError, match=r"Chart\.yaml"):
        facts_of({"Chart.yaml": text.encode()})
