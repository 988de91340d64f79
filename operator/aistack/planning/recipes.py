"""Recipes of a Secret's keys, from what the catalog says about them."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from string import Formatter

from aistack.catalog.fields import GeneratedValue, Value
from aistack.catalog.models import Contract, Provide
from aistack.catalog.references import SPELLED_OUT, fields_of, is_spelled_out
from aistack.errors import CatalogError
from aistack.objects.recipes import Format, Generate, Literal, Recipe
from aistack.planning.borrowed import needed_of_admin

CA = "ca.crt"
"""Key of a contract for the certificate of the authority that signed the provider's."""
Recipes = dict[str, Recipe]


def check_admin(provide: Provide, contract: Contract, file: str) -> None:
    """Refuse an admin binding with a key that the contract lacks, or with a secret that anybody can read.

    Raises:
        CatalogError: naming the component's file.
    """
    for key, value in provide.admin.items():
        if key not in contract.keys:
            raise CatalogError(file, f"provides {contract.name} with a key {key!r} that the contract lacks")
        if contract.keys[key].secret and is_spelled_out(value, contract.keys):
            raise CatalogError(file, f"provides {contract.name} with {key!r}, which {SPELLED_OUT}")


def check_shared_admin(contract: Contract, owner: Contract, file: str) -> None:
    """Refuse a contract's admin binding for the claims of another: it lacks a key, or differs in what is secret.

    Args:
        contract: whose claims are given the binding.
        owner: whose binding it is.
        file: the component's, for messages.

    Raises:
        CatalogError: naming the component's file.
    """
    what = f"provides {contract.name} with the administrator of {owner.name}"
    for key in sorted(needed_of_admin(contract)):
        if key not in owner.keys or owner.keys[key].optional:
            raise CatalogError(file, f"{what}, whose binding may lack the key {key!r}")
    for key in sorted(contract.keys.keys() & owner.keys.keys()):
        if contract.keys[key].secret != owner.keys[key].secret:
            raise CatalogError(file, f"{what}, but {key!r} is secret in one of the two contracts only")


def contract_recipes(values: Mapping[str, Value], contract: Contract, words: Mapping[str, str]) -> Recipes:
    """Return the recipes of a contract's keys; ``words`` are the plan's own that texts may name."""
    where = _file(contract)
    return {key: recipe_of(value, words, contract.keys, where) for key, value in values.items()}


def _file(contract: Contract) -> str:
    return f"contracts/{contract.name}/contract.yaml"


def complete(contract: Contract, recipes: Recipes, provider: str) -> Recipes:
    """Add the Service Binding specification's ``type`` and ``provider``, and the derived keys that can be made.

    Raises:
        CatalogError: a key that isn't optional has no recipe, or texts name each other in a circle.
    """
    recipes = {**_defaults(contract, with_ca=CA in recipes), **recipes}
    missing = sorted(k for k, spec in contract.keys.items() if k not in recipes and not spec.optional)
    if missing:
        raise CatalogError(_file(contract), f"nothing says how {provider!r} makes the keys {missing}")
    kept = {k: v for k, v in recipes.items() if k in contract.keys}
    texts = {k: text for k, text in contract.derived.items() if fields_of(text) <= set(kept)}
    derived = {k: recipe_of(text, {}, kept, _file(contract)) for k, text in texts.items()}
    return acyclic({"type": Literal(contract.name), "provider": Literal(provider), **kept, **derived}, _file(contract))


def _defaults(contract: Contract, *, with_ca: bool) -> Recipes:
    """Return recipes of keys that have a default: one that checks certificates where there is one to check against."""
    found = {k: (with_ca and spec.default_with_ca) or spec.default for k, spec in contract.keys.items()}
    return {key: Literal(value) for key, value in found.items() if value is not None}


def acyclic(recipes: Recipes, where: str) -> Recipes:
    """Return a Secret's recipes unless their texts name each other in a circle."""
    names = {key: fields_of(recipe.template) for key, recipe in recipes.items() if isinstance(recipe, Format)}
    try:
        TopologicalSorter(names).prepare()
    except CycleError as error:
        raise CatalogError(where, f"these texts name each other in a circle: {' -> '.join(error.args[1])}") from None
    return recipes


def recipe_of(value: Value, words: Mapping[str, str], keys: Mapping[str, object], where: str) -> Recipe:
    """Return the recipe of one key.

    Raises:
        CatalogError: a text names neither a word nor a key.
    """
    if isinstance(value, GeneratedValue):
        return Generate(value.generate.length, value.generate.alphabet, value.generate.prefix)
    text = "".join(_parts(value, words, keys, where))
    return Format(text) if fields_of(text) else Literal(text.replace("{{", "{").replace("}}", "}"))


def _parts(text: str, words: Mapping[str, str], keys: Mapping[str, object], where: str) -> list[str]:
    parts = []
    for literal, name, style, _ in Formatter().parse(text):
        parts.append(literal.replace("{", "{{").replace("}", "}}"))
        if name is None:
            continue
        if name in words:
            parts.append(words[name].replace("{", "{{").replace("}", "}}"))
        elif name in keys:
            parts.append(f"{{{name}:{style}}}" if style else f"{{{name}}}")
        else:
            raise CatalogError(where, f"the recipe {text!r} names {{{name}}}, which is neither a word nor a key")
    return parts
