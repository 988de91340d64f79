"""Rendering: a value is placed as data and never read as YAML; what fails says in which file and line."""

from __future__ import annotations

import time
from typing import Any

import pytest

from aistack.errors import CatalogError
from aistack.objects.manifest import Manifest
from aistack.planning.encode import ini_text
from aistack.planning.template import MAX_OBJECTS, MAX_TURNS, render_template

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: demo\n"


def render(body: str, **context: Any) -> list[Manifest]:
    return render_template("t.yaml.j2", HEAD + body, context)


def refuse(body: str, **context: Any) -> CatalogError:
    with pytest.raises(CatalogError) as refused:
        render(body, **context)
    return refused.value


HOSTILE: dict[str, Any] = {
    "new-line-with-a-field": "x\nkind: Pod",
    "new-document": "x\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: stolen}",
    "end-of-document": "...",
    "colon-and-space": "a: b",
    "comment": "x # gone?",
    "closing-quote": 'x", "kind": "Pod',
    "closing-single-quote": "x', kind: 'Pod",
    "flow-map": "{kind: Pod}",
    "flow-list": "[1, 2]",
    "block-scalar": "|\n  text",
    "expression": "{{ stack.name }}",
    "statement": "{% raw %}",
    "placeholder-of-ours": "\ue0000\ue000",
    "yaml-tag": "!!python/object/apply:os.system [id]",
    "anchor": "&a x",
    "alias": "*a",
    "merge-key": {"<<": {"kind": "Pod"}},
    "bool-of-yaml-1.1": "yes",
    "null-of-yaml": "~",
    "text-null": "null",
    "octal": "0o17",
    "sexagesimal": "190:20:30",
    "date": "2024-01-01",
    "hexadecimal": "0x1F",
    "infinity": ".inf",
    "equals-sign": "=",
    "empty": "",
    "spaces": "  x  ",
    "tab": "\t",
    "carriage-return": "a\rb",
    "nul": "a\x00b",
    "escape": "\x1b[31mred",
    "delete": "\x7f",
    "next-line": "a\x85b",
    "line-separator": "a\u2028b\u2029c",
    "byte-order-mark": "\ufeffa",
    "right-to-left": "\u202egnp.exe",
    "not-a-character": "\uffff",
    "astral": "\U0001f600",
    "combining": "e\u0301",
    "small-float": 1e-07,
    "large-float": 1e22,
    "negative-zero": -0.0,
    "large-integer": 2**63 - 1,
    "long-key": {"k" * 5000: 1},
    "key-with-a-line-break": {"a\nb: c": 1},
    "deep": [[[[[[[[[[["x"]]]]]]]]]]],
    "long-text": "x" * 200_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_arrives_as_it_is_and_changes_nothing_else(value: Any) -> None:
    body = "data:\n  before: 1\n  value: {{ value }}\n  after:\n    - {{ value }}\n    - last\n"
    expected = {"before": 1, "value": value, "after": [value, "last"]}
    assert render(body, value=value) == [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "demo"}, "data": expected}
    ]


NO_JSON = {
    "surrogate": ("\ud800", "t.yaml.j2: renders to a ConfigMap that JSON can't hold"),
    "infinite": (float("inf"), "t.yaml.j2:6: can't be rendered"),
    "not-a-number": (float("nan"), "t.yaml.j2:6: can't be rendered"),
    "beyond-64-bits": (10**40, "t.yaml.j2: renders to a ConfigMap that JSON can't hold"),
    "function": (len, "a builtin_function_or_method is no value for a manifest"),
    "set": ({1}, "a set is no value for a manifest"),
    "bytes": (b"x", "a bytes is no value for a manifest"),
    "circular": (circle := [], "Circular reference"),  # type: ignore[var-annotated]
}
circle.append(circle)


@pytest.mark.parametrize(("value", "says"), NO_JSON.values(), ids=NO_JSON)
def test_what_no_manifest_can_hold_is_refused(value: Any, says: str) -> None:
    assert says in str(refuse("data:\n  a: {{ value }}\n", value=value))


FAILURES = {
    "undefined-name": ("data:\n  a: 1\n  b: {{ valeus }}\n", 7, "'valeus' is undefined"),
    "undefined-attribute": ("data:\n  a: {{ values.wrokers }}\n", 6, "'dict object' has no attribute 'wrokers'"),
    "undefined-inside-a-map": ('data:\n  a: {{ {"b": [nope]} }}\n', 6, "'nope' is undefined"),
    "undefined-in-a-condition": ("data:\n  {% if nope %}\n  a: 1\n  {% endif %}\n", 6, "'nope' is undefined"),
    "undefined-in-a-loop": ("data:\n  {% for i in nope %}\n  - 1\n  {% endfor %}\n", 6, "'nope' is undefined"),
    "undefined-joined-to-a-text": ('data:\n  a: {{ "x" ~ nope }}\n', 6, "'nope' is undefined"),
    "division-by-zero": ("data:\n  a: {{ 1 / 0 }}\n", 6, "division by zero"),
    "call-of-no-function": ("data:\n  a: {{ values() }}\n", 6, "can't be rendered"),
    "hidden-attribute": ("data:\n  a: {{ values.__class__ }}\n", 6, "unsafe"),
    "hidden-attribute-by-filter": ('data:\n  a: {{ values | attr("__class__") }}\n', 6, "unsafe"),
    "text-multiplied": ('data:\n  a: {{ "x" * 1000000000 }}\n', 6, "can't be rendered: *"),
    "list-multiplied": ("data:\n  a: {{ [1] * 1000000000 }}\n", 6, "can't be rendered: *"),
    "text-formatted": ('data:\n  a: {{ "%300000000d" % 1 }}\n', 6, "can't be rendered: %"),
    "text-padded": ('data:\n  a: {{ "x".ljust(1000000000) }}\n', 6, "unsafe"),
    "text-formatted-by-itself": ('data:\n  a: {{ "{:1000000000}".format(1) }}\n', 6, "unsafe"),
    "power": ("data:\n  a: {{ 9 ** 9 ** 9 }}\n", 6, "can't be rendered: **"),
    "product-without-end": ("data:\n  a: {{ 10000000000 * 10000000000 }}\n", 6, "the product is too large"),
    "range-without-end": ("data:\n  a: {{ range(1000000000) | list }}\n", 6, "Range too big"),
    "number-for-sections": ("data:\n  a: {{ ini_text(5) }}\n", 6, "can't be rendered: 'int' object has no"),
    "nothing-for-a-map": ("data:\n  a: {{ none | dictsort }}\n", 6, "can't be rendered: 'NoneType' object has no"),
    "random-text": ("data:\n  a: {{ lipsum() }}\n", 6, "'lipsum' is undefined"),
}


@pytest.mark.parametrize(("body", "line", "says"), FAILURES.values(), ids=FAILURES)
def test_an_expression_that_fails_is_named_with_file_and_line(body: str, line: int, says: str) -> None:
    refused = refuse(body, values={}, ini_text=ini_text)
    assert (refused.file, refused.line) == ("t.yaml.j2", line), refused
    assert says in refused.problem


def test_loops_are_bounded_whether_they_write_or_not() -> None:
    began = time.monotonic()
    refused = refuse("{% for a in range(9999) %}\n{% for b in range(9999) %}\n{% endfor %}\n{% endfor %}\n")
    assert f"its loops take more than {MAX_TURNS} turns" in refused.problem
    assert refused.line in (5, 6)
    assert time.monotonic() - began < 2, "99,980,001 turns were not taken"


def test_the_number_of_objects_is_bounded() -> None:
    body = f"---\n{{% for i in range({MAX_OBJECTS}) %}}\n{HEAD}---\n{{% endfor %}}\n"
    assert f"{MAX_OBJECTS} are allowed in one file" in str(refuse(body))


UNPARSABLE = {
    "not-an-object": ("---\n- 1\n", "no Kubernetes object"),
    "a-text": ("---\nhello\n", "no Kubernetes object"),
    "no-kind": ("---\napiVersion: v1\nmetadata: {name: a}\n", "no Kubernetes object"),
    "no-name": ("---\napiVersion: v1\nkind: Service\nmetadata: {}\n", "a Service without metadata.name"),
    "name-that-is-a-number": ("---\napiVersion: v1\nkind: Service\nmetadata: {name: 1}\n", "without metadata.name"),
    "key-that-is-a-number": ("data:\n  8080: x\n", "Dict key must be str"),
    "key-that-yaml-reads-as-true": ("data:\n  on: x\n", "Dict key must be str"),
    "unknown-tag": ("data: !!python/name:os.system x\n", "renders to unparsable YAML"),
    "set-of-yaml": ("data: !!set {a, b}\n", "that JSON can't hold"),
    "wrong-indent-by-a-condition": ("data:\n  a: 1\n{% if true %}\n b: 1\n{% endif %}\n", "unparsable YAML"),
    "key-twice": ("data:\n  a: 1\n  a: 2\n", "unparsable YAML: 'a' stands here twice (line 7 of the result)"),
    "date-that-is-none": ("data:\n  a: 2024-13-99\n", "unparsable YAML"),
}


@pytest.mark.parametrize(("body", "says"), UNPARSABLE.values(), ids=UNPARSABLE)
def test_text_that_is_no_manifest_names_its_file(body: str, says: str) -> None:
    refused = refuse(body)
    assert refused.file == "t.yaml.j2"
    assert says in refused.problem


def test_an_error_of_a_helper_says_where_it_was_called() -> None:
    def image(name: str) -> str:
        raise CatalogError("components/db/component.yaml", f"has no image {name!r}, only: server")

    refused = refuse('data:\n  a: {{ image("sever") }}\n', image=image)
    assert str(refused) == "t.yaml.j2:6: components/db/component.yaml has no image 'sever', only: server"


def test_two_renderings_share_nothing() -> None:
    value = {"a": [1]}
    first, second = (render("data: {{ value }}\n", value=value)[0]["data"] for _ in range(2))
    first["a"].append(2)
    assert (second, value) == ({"a": [1]}, {"a": [1]})


def test_what_was_rendered_belongs_to_whoever_asked() -> None:
    body = "data: {a: b}\nspec:\n  items: [1]\n  given: {{ given }}\n"
    first = render(body, given=[1])[0]
    first["data"]["a"] = "changed"
    first["spec"]["items"].append(2)
    first["spec"]["given"].append(2)

    second = render(body, given=[1])[0]

    assert second["data"] == {"a": "b"}
    assert second["spec"] == {"items": [1], "given": [1]}
