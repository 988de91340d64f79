"""What helm writes, told apart by template, and compared."""

from __future__ import annotations

import pytest

from aistack.sources.documents import MAX_OBJECTS, difference, documents

TWO = """---
# Source: web/templates/a.yaml
kind: A
metadata: {name: one}
---
# Source: web/charts/lib/templates/b.yaml
kind: B
metadata: {name: two}
spec:
  script: |
    ---
    # Source: none
"""


def secret(value: str, kind: str = "Secret", name: str = "web-tls", more: str = "") -> str:
    return f"---\n# Source: w/t.yaml\nkind: {kind}\nmetadata: {{name: {name}{more}}}\ndata: {{key: {value}}}\n"


def differs(first: str, second: str) -> str:
    return difference(documents(first), documents(second), {"web-tls"})


def test_each_document_is_told_with_its_template() -> None:
    first, second = documents(TWO)
    assert (first.template, first.document["kind"]) == ("web/templates/a.yaml", "A")
    assert second.template == "web/charts/lib/templates/b.yaml"
    assert second.document["spec"]["script"] == "---\n# Source: none\n"


def test_nothing_is_nothing() -> None:
    assert documents("") == documents("---\n# Source: w/t.yaml\n# only a comment\n") == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("a: 1\na: 2", r"w/t.yaml: 'a' stands here twice \(line 2"),
        ("a: [", "w/t.yaml: "),
        ("a: &a [*a]", "w/t.yaml: "),
        ("a: .nan\n1: 2", "w/t.yaml: "),
    ],
)
def test_what_is_no_plain_data_is_refused_with_its_template(body: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        documents(f"---\n# Source: w/t.yaml\n{body}\n")


def test_too_many_objects_are_refused() -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_OBJECTS} objects"):
        documents("---\n# Source: w/t.yaml\na: b\n" * (MAX_OBJECTS + 1))


def test_annotations_with_checksums_are_left_out() -> None:
    text = "---\n# Source: t\nmetadata: {annotations: {checksum/config: a, web.io/config-checksum: b, note: c}}\n"
    assert documents(text)[0].document == {"metadata": {"annotations": {"note": "c"}}}


def test_the_first_difference_is_named_by_object_and_field() -> None:
    assert differs(secret("a"), secret("a")) == ""
    assert differs(secret("a", "ConfigMap"), secret("b", "ConfigMap")) == "ConfigMap web-tls: data.key"
    assert differs(secret("a", name="x"), secret("b", name="x")) == "Secret x: data.key"
    assert differs(TWO, secret("a")) in ("A one", "B two", "Secret web-tls")


def test_a_secret_that_is_made_once_may_differ() -> None:
    assert differs(secret("a"), secret("b")) == ""
    assert differs(secret("a", "ConfigMap"), secret("b", "ConfigMap")) != ""
