"""Strict YAML: what is refused, each within a moment."""

from __future__ import annotations

import io

import pytest
import yaml

from aistack.objects.strict import DEEPEST, StrictLoader


def bomb(first: str, each: str) -> str:
    """A text in which each of ten lines stands ten times in the next one."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{n}: &a{n} {each.format(', '.join([f'*a{n - 1}'] * 10))}" for n in range(1, 11)]
    return "\n".join(lines)


REFUSED = {
    "twice": ("a: 1\nb: 2\na: 3", "'a' stands here twice"),
    "a-bomb-of-lists": (bomb("[x]", "[{}]"), "aliases make more than"),
    "a-bomb-of-merges": (bomb("{x: 1}", "{{<<: [{}]}}"), "aliases make more than"),
    "a-bomb-of-texts": ("a: &a " + "x" * 200_000 + "\nb: [" + "*a, " * 100 + "]", "aliases make more than"),
    "an-alias-of-itself": ("a: &a [*a]", "aliases make more than"),
    "a-deep-flow": ("[" * 200_000 + "]" * 200_000, "nested deeper than 250 levels"),
    "a-deep-flow-without-an-end": ("{a: " * 200_000, "nested deeper than 250 levels"),
    "deep-blocks": ("- " * 200_000 + "x", "nested deeper than 250 levels"),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError, match=says):
        yaml.load(text, StrictLoader)  # noqa: S506  # it is a safe one


TAKEN = {
    "aliases": ("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}", {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}),
    "as-deep-as-can-be": ("[" * DEEPEST + "]" * DEEPEST, None),
    "long": ("\n".join(f"- {n}" for n in range(20_000)), list(range(20_000))),
}


@pytest.mark.parametrize(("text", "data"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken(text: str, data: object) -> None:
    assert data is None or yaml.load(text, StrictLoader) == data  # noqa: S506  # it is a safe one
    assert yaml.load(io.StringIO(text), StrictLoader) == yaml.load(text, StrictLoader)  # noqa: S506
