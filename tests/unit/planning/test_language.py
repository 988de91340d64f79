"""The rules of the template language: what is refused before anything is rendered, on which line, and what is taken."""

from __future__ import annotations

import pytest

from aistack.planning.template import check_template
from tests.toy import starter, toy

WHOLE = "an expression must be a whole value"
INSIDE = "an expression inside a quoted text or a block scalar"
MARKS = "the marks - and + beside braces are not part of the language"
OWN_LINE = "a statement must stand on a line of its own"

REFUSED = {
    "in-double-quotes": ('a: "{{ x }}"', 1, WHOLE),
    "in-single-quotes": ("a: '{{ x }}'", 1, WHOLE),
    "in-the-middle-of-a-text": ("a: http://{{ x }}/", 1, WHOLE),
    "before-a-text": ("a: {{ x }}-data", 1, WHOLE),
    "two-in-one-value": ("a: {{ x }}{{ y }}", 1, WHOLE),
    "as-a-key": ("{{ x }}: a", 1, WHOLE),
    "as-a-whole-line": ("a:\n  {{ x }}", 2, WHOLE),
    "in-a-flow-list": ("a: [1, {{ x }}]", 1, WHOLE),
    "in-a-flow-map": ("- {name: {{ x }}}", 1, WHOLE),
    "behind-a-tag": ("a: !!str {{ x }}", 1, WHOLE),
    "behind-an-anchor": ("a: &b {{ x }}", 1, WHOLE),
    "before-a-comment": ("a: {{ x }} # why", 1, WHOLE),
    "in-a-literal-block": ("a: |\n  b: {{ x }}\nc: 1", 2, INSIDE),
    "in-a-folded-block": ("k: 1\na: >-\n  text\n  b: {{ x }}", 4, INSIDE),
    "in-a-block-of-a-list": ("- |\n  b: {{ x }}", 2, INSIDE),
    "in-a-block-with-an-indent": ("a: |2\n    b: {{ x }}", 2, INSIDE),
    "in-a-block-after-a-comment": ("a: | # script\n  b: {{ x }}", 2, INSIDE),
    "in-quotes-over-several-lines": ('a: "one\n  b: {{ x }}\n  "', 2, INSIDE),
    "in-single-quotes-over-several-lines": ("a: 'one\n  b: {{ x }}\n  '", 2, INSIDE),
    "over-several-lines-in-quotes": ('a: "{{ x\n  }}"', 1, WHOLE),
    "followed-by-more-text-on-the-next-line": ("a: {{ x }}\n  more", 1, INSIDE),
    "joining-the-line-before": ("a:\n  {{- x }}", 2, MARKS),
    "joining-the-next-line": ("a: {{ x -}}\n  more", 1, MARKS),
    "statement-joining-lines": ("a: 1\n{%- if x %}\nb: 1\n{%- endif %}", 2, MARKS),
    "statement-keeping-spaces": ("a: 1\n{%+ if x %}\nb: 1\n{% endif %}", 2, MARKS),
    "statement-inside-a-value": ("a: {% if x %}1{% endif %}", 1, OWN_LINE),
    "two-statements-on-a-line": ("{% if x %}a: 1\n{% endif %}", 1, OWN_LINE),
    "macro": ("{% macro m() %}\na: 1\n{% endmacro %}", 1, "`macro` is not part of the language"),
    "captured-text": ("a: 1\n{% set t %}\nb: 1\n{% endset %}", 2, "`set without =` is not part of the language"),
    "filtered-text": ("{% filter upper %}\na: 1\n{% endfilter %}", 1, "`filter` is not part"),
    "included-file": ('{% include "other" %}', 1, "`include` is not part of the language"),
    "imported-file": ('a: 1\n{% from "other" import m %}', 2, "`import` is not part of the language"),
    "block-to-override": ("{% block b %}\na: 1\n{% endblock %}", 1, "`block` is not part of the language"),
    "filter-safe": ("a: {{ x | safe }}", 1, "the filter safe is not part of the language"),
    "filter-e": ("a: 1\nb: {{ x | e }}", 2, "the filter e is not part of the language"),
    "filter-tojson": ("a: {{ x | tojson }}", 1, "the filter tojson is not part of the language"),
    "filter-in-a-condition": ("{% if x | escape %}\na: 1\n{% endif %}", 1, "the filter escape is not part"),
    "random-choice": ("a: {{ [1, 2] | random }}", 1, "the filter random is not part of the language"),
    "filter-that-pads": ('a: {{ "x" | center(9) }}', 1, "the filter center is not part of the language"),
    "filter-that-formats": ('a: {{ "%9d" | format(1) }}', 1, "the filter format is not part of the language"),
    "recursive-loop": ("{% for i in x recursive %}\n- {{ loop(i) }}\n{% endfor %}", 1, "`recursive` is not part"),
    "unclosed-expression": ("a: 1\nb: {{ x", 2, "is no valid template"),
    "unclosed-if": ("a: 1\n{% if x %}\nb: 1", 3, "is no valid template"),
    "unknown-filter": ("a: 1\nb: {{ x | nonsense }}", 2, "is no valid template"),
    "yaml-that-cannot-be": ("a: 1\nb: 'open", 2, "is no YAML"),
    "tab-as-indent": ("a:\n\tb: 1", 2, "is no YAML"),
}

TAKEN = {
    "value-of-a-key": "a: {{ x }}",
    "value-of-a-key-with-a-slash": "example.com/title: {{ x }}",
    "value-of-a-quoted-key": '"a b": {{ x }}',
    "entry-of-a-list": "- {{ x }}",
    "first-key-of-an-entry": "- a: {{ x }}\n  b: 1",
    "entry-of-a-list-in-a-list": "- - {{ x }}",
    "map-of-maps": 'a: {{ {"b": {"c": x}} }}',
    "closing-braces-in-a-text": 'a: {{ "}}" }}',
    "over-several-lines": "a: {{ [\n  x,\n  y,\n] }}\nb: 1",
    "condition": "{% if x %}\na: 1\n{% else %}\na: 2\n{% endif %}",
    "indented-loop": "a:\n  {% for i in x %}\n  - {{ i }}\n  {% endfor %}",
    "assignment-over-several-lines": "{% set t = [\n  1,\n] %}\na: {{ t }}",
    "comment-with-an-expression": "{# {{ x }} #}\na: 1",
    "raw-text": "{% raw %}\na: '{{ x }}'\n{% endraw %}",
    "script-without-expressions": "a: |\n  echo {}\nb: {{ x }}",
    "several-documents": "a: {{ x }}\n---\nb: {{ y }}",
}


@pytest.mark.parametrize(("source", "line", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_breaks_the_rules_is_named_with_its_line(source: str, line: int, problem: str) -> None:
    found = [(e.file, e.line, e.problem) for e in check_template("t.yaml.j2", source)]
    assert found, "was taken"
    assert found[0][:2] == ("t.yaml.j2", line), found
    assert problem in found[0][2]


@pytest.mark.parametrize("source", TAKEN.values(), ids=TAKEN)
def test_whole_values_and_statements_on_their_own_lines_are_taken(source: str) -> None:
    assert [str(e) for e in check_template("t.yaml.j2", source)] == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        pytest.param(file, source, id=f"{c.name}/{file}")
        for catalog in (toy(), starter())
        for c in catalog.components.values()
        for file, source in c.templates.items()
    ],
)
def test_every_template_of_ours_keeps_the_rules(file: str, source: str) -> None:
    assert [str(e) for e in check_template(file, source)] == []
