"""References and hashes: what is equal hashes equally, whatever the order of keys."""

from __future__ import annotations

import pytest

from aistack.objects.manifest import ObjectRef, content_hash, ref_of
from aistack.objects.recipes import Format, Generate, Literal, Recipe, describe, recipe_hash


def test_a_hash_ignores_the_order_of_keys_and_nothing_else() -> None:
    one = {"a": {"b": 1, "c": [1, 2]}, "d": "x"}
    assert content_hash(one) == content_hash({"d": "x", "a": {"c": [1, 2], "b": 1}})
    for other in ({"a": {"b": 1, "c": [2, 1]}, "d": "x"}, {"a": {"b": "1", "c": [1, 2]}, "d": "x"}, {"d": "x"}):
        assert content_hash(one) != content_hash(other)
    assert len(content_hash(one, 8)) == 8


def test_references() -> None:
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "ml"}}
    ref = ref_of(manifest)
    assert ref == ObjectRef("apps/v1", "Deployment", "ml", "a")
    assert (str(ref), str(ref.object_kind)) == ("Deployment ml/a", "Deployment.apps/v1")
    assert str(ref_of({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})) == "Namespace ml"
    with pytest.raises(KeyError):
        ref_of({"kind": "Pod", "metadata": {"name": "a"}})


RECIPES: dict[str, tuple[Recipe, str]] = {
    "literal": (Literal("5432"), "5432"),
    "generated": (Generate(32), "generated, 32 characters"),
    "generated-with-prefix": (Generate(32, "hex", "key-"), "generated, 36 characters"),
    "format": (Format("{a}:{b}"), "{a}:{b}"),
}


@pytest.mark.parametrize(("recipe", "text"), RECIPES.values(), ids=RECIPES)
def test_a_recipe_is_told_without_a_value(recipe: Recipe, text: str) -> None:
    assert describe(recipe) == text


def test_a_recipe_s_kind_counts_as_well_as_its_fields() -> None:
    hashes = [recipe_hash({"key": recipe}) for recipe in (Literal("x"), Format("x"), Generate(8), Generate(8, "hex"))]
    assert len(set(hashes)) == len(hashes)
    assert recipe_hash({"a": Literal("1"), "b": Literal("2")}) == recipe_hash({"b": Literal("2"), "a": Literal("1")})
