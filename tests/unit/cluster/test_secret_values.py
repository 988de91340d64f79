"""Recipes to values: formats, and the order in which Secrets that refer to each other are made."""

from __future__ import annotations

from graphlib import CycleError

import pytest

from aistack.cluster.secrets import _formatted, layers
from aistack.errors import SpecError
from aistack.objects.plan import CreateSecret
from aistack.objects.recipes import FromSecret, Generate, Recipe


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
    assert _formatted({"user": "me@home", "password": "a/b"}, {"f": template}, "s")["f"] == value


def test_a_format_may_use_another_one() -> None:
    done = _formatted({"a": "1"}, {"c": "{b}!", "b": "{a}{a}"}, "s")

    assert done == {"a": "1", "b": "11", "c": "11!"}


@pytest.mark.parametrize(
    "formats",
    [pytest.param({"a": "{b}", "b": "{a}"}, id="circle"), pytest.param({"a": "{nowhere}"}, id="no such key")],
)
def test_a_format_that_cannot_be_filled_in_is_named(formats: dict[str, str]) -> None:
    with pytest.raises(SpecError, match="Secret ml/s: the formats of a"):
        _formatted({}, formats, "Secret ml/s")


def secret(name: str, **recipes: Recipe) -> CreateSecret:
    metadata = {"name": name, "namespace": "ml"}
    return CreateSecret(name, 1, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}, recipes)


def test_secrets_come_after_those_that_they_refer_to() -> None:
    steps = [
        secret("c", k=FromSecret("b", "k"), u=FromSecret("users-own", "k")),
        secret("b", k=FromSecret("a", "k")),
        secret("a", k=Generate(8)),
        secret("d", k=Generate(8)),
    ]
    order = [{ref.name for ref in layer} for layer in layers({step.ref: step for step in steps})]

    assert order == [{"a", "d"}, {"b"}, {"c"}]


def test_a_circle_of_secrets_is_refused() -> None:
    steps = [secret("a", k=FromSecret("b", "k")), secret("b", k=FromSecret("a", "k"))]

    with pytest.raises(CycleError):
        list(layers({step.ref: step for step in steps}))
