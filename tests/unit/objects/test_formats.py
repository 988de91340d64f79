"""Formats are filled in, in the order that they need each other."""

from __future__ import annotations

import pytest

from aistack.errors import SpecError
from aistack.objects.formats import fill_all


@pytest.mark.parametrize(
    ("template", "value"),
    [
        pytest.param("{user}:{password}", "me@home:a/b", id="plain"),
        pytest.param("x://{user:url}:{password:url}@h", "x://me%40home:a%2Fb@h", id="percent-encoded"),
        pytest.param("{{literal}}", "{literal}", id="braces"),
        pytest.param("nothing", "nothing", id="no keys"),
    ],
)
def test_a_format_is_filled_in(template: str, value: str) -> None:
    assert fill_all({"user": "me@home", "password": "a/b"}, {"f": template}, "s")["f"] == value


def test_a_format_may_use_another_one() -> None:
    done = fill_all({"a": "1"}, {"c": "{b}!", "b": "{a}{a}"}, "s")

    assert done == {"a": "1", "b": "11", "c": "11!"}


@pytest.mark.parametrize(
    "formats",
    [pytest.param({"a": "{b}", "b": "{a}"}, id="circle"), pytest.param({"a": "{nowhere}"}, id="no such key")],
)
def test_a_format_that_cannot_be_filled_in_is_named(formats: dict[str, str]) -> None:
    with pytest.raises(SpecError, match="Secret ml/s: the formats of a"):
        fill_all({}, formats, "Secret ml/s")
