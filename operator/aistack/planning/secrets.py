"""Secrets of a plan: which there are, their generation and their recipes. Never their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from aistack.api.names import object_name
from aistack.catalog.models import Contract, GeneratedValue, Provide, Value
from aistack.catalog.references import fields_of
from aistack.errors import CatalogError, SpecError
from aistack.objects.plan import CreateSecret, Observed
from aistack.objects.recipes import Format, Generate, Literal, Recipe, recipe_hash
from aistack.planning.resolve import Resolved
from aistack.planning.wire import Edge

Recipes = dict[str, Recipe]
RecipesOf = Callable[[int], Recipes]
"""A Secret's recipes for a generation."""
_ITEM = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True)
class SecretPlanner:
    """Makes the Secrets of one stack.

    Args:
        stack: the stack's name.
        namespace: its namespace.
        contracts: the catalog's contracts.
        observed: tells which generations exist.
    """

    stack: str
    namespace: str
    contracts: Mapping[str, Contract]
    observed: Observed

    def admin(self, r: Resolved, provide: Provide) -> CreateSecret:
        """Return the admin binding that a provider serves a contract with."""
        contract = self.contract(provide.contract, r)
        _check_admin(r, provide, contract)

        def recipes(generation: int) -> Recipes:
            words = self._words(r.name, generation)
            place = self._place(r, provide)
            return _complete(contract, {**place, **_recipes(provide.admin, contract, words)}, provider=r.name)

        return self._create(object_name(self.stack, r.name, provide.contract, "admin"), recipes)

    def share(self, edge: Edge, provider: Resolved) -> CreateSecret:
        """Return a consumer's share: what differs between consumers is made by the contract's ``share``."""
        contract = self.contract(edge.provide.contract, provider)
        base = object_name(self.stack, edge.consumer, edge.require.edge)
        suffix = "" if edge.require.edge == edge.require.contract else f"-{edge.require.edge}"
        share = object_name(self.stack, edge.consumer) + suffix

        def recipes(generation: int) -> Recipes:
            words = self._words(edge.consumer, generation) | {"share": share, "share_": share.replace("-", "_")}
            common = {k: v for k, v in edge.provide.admin.items() if k not in contract.share}
            public = {k: v for k, v in common.items() if k in contract.keys and not contract.keys[k].secret}
            made = _recipes({**public, **contract.share}, contract, words)
            return _complete(contract, {**self._place(provider, edge.provide), **made}, provider=provider.name)

        return self._create(base, recipes)

    def own(self, r: Resolved) -> list[CreateSecret]:
        """Return the Secrets that a component generates for itself."""
        return [
            self._own(r, name, item, spec.data)
            for name, spec in r.component.spec.secrets.items()
            for item in _items(r, spec.each)
        ]

    def _own(self, r: Resolved, name: str, item: str, data: Mapping[str, Value]) -> CreateSecret:
        where = f"{r.component.folder}/component.yaml"

        def recipes(generation: int) -> Recipes:
            words = self._words(r.name, generation) | {"item": item}
            return {key: _recipe(value, words, data, where) for key, value in data.items()}

        return self._create(object_name(self.stack, r.name, name, item), recipes)

    def contract(self, name: str, r: Resolved) -> Contract:
        """Return a contract of the catalog.

        Raises:
            CatalogError: a component names one that the catalog lacks.
        """
        if name not in self.contracts:
            raise CatalogError(f"{r.component.folder}/component.yaml", f"names an unknown contract {name!r}")
        return self.contracts[name]

    def _words(self, component: str, generation: int) -> dict[str, str]:
        return {
            "stack": self.stack,
            "namespace": self.namespace,
            "component": component,
            "generation": str(generation),
        }

    def _place(self, r: Resolved, provide: Provide) -> Recipes:
        port = r.component.spec.workloads[provide.workload].ports[provide.port].port
        host = service_host(self.stack, self.namespace, r.name, provide.workload)
        return {"host": Literal(host), "port": Literal(str(port))}

    def _create(self, base: str, recipes_of: RecipesOf) -> CreateSecret:
        generation = self._generation(base, recipes_of)
        manifest: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"{base}-{generation}", "namespace": self.namespace},
            "type": "Opaque",
            "immutable": True,
        }
        return CreateSecret(base, generation, manifest, recipes_of(generation))

    def _generation(self, base: str, recipes_of: RecipesOf) -> int:
        record = self.observed.secrets.get(base)
        if record is None:
            return 1
        unchanged = record.present and recipe_hash(recipes_of(record.generation)) == record.recipe_hash
        return record.generation if unchanged else record.generation + 1


def service_host(stack: str, namespace: str, component: str, workload: str) -> str:
    """Return the DNS name of a workload's Service; that of the workload ``server`` has no suffix."""
    return f"{object_name(stack, component, '' if workload == 'server' else workload)}.{namespace}.svc"


def _items(r: Resolved, each: str | None) -> list[str]:
    """Return what a Secret is made for, once each.

    Raises:
        SpecError: an item can't be a part of a Secret's name, or stands there twice.
    """
    if each is None:
        return [""]
    items = [str(item) for item in r.values.get(each, [])]
    for i, item in enumerate(items):
        if not _ITEM.fullmatch(item) or item in items[:i]:
            problem = "stands here twice" if item in items[:i] else "can't be a part of an object's name"
            remedy = "write lower-case letters, digits and '-', each entry once"
            raise SpecError(f"{r.field}.values.{each}[{i}]", f"{item[:63]!r} {problem}", remedy)
    return items


def _check_admin(r: Resolved, provide: Provide, contract: Contract) -> None:
    unknown = sorted(provide.admin.keys() - contract.keys.keys())
    if unknown:
        file = f"{r.component.folder}/component.yaml"
        raise CatalogError(file, f"provides {contract.name} with a key {unknown[0]!r} that the contract lacks")


def _recipes(values: Mapping[str, Value], contract: Contract, words: Mapping[str, str]) -> Recipes:
    where = _file(contract)
    return {key: _recipe(value, words, contract.keys, where) for key, value in values.items()}


def _file(contract: Contract) -> str:
    return f"contracts/{contract.name}/contract.yaml"


def _complete(contract: Contract, recipes: Recipes, provider: str) -> Recipes:
    """Add the Service Binding specification's ``type`` and ``provider``, and the derived keys that can be made.

    Raises:
        CatalogError: a key that isn't optional has no recipe.
    """
    missing = sorted(k for k, spec in contract.keys.items() if k not in recipes and not spec.optional)
    if missing:
        raise CatalogError(_file(contract), f"nothing says how {provider!r} makes the keys {missing}")
    kept = {k: v for k, v in recipes.items() if k in contract.keys}
    texts = {k: text for k, text in contract.derived.items() if fields_of(text) <= set(kept)}
    derived = {k: _recipe(text, {}, kept, _file(contract)) for k, text in texts.items()}
    return {"type": Literal(contract.name), "provider": Literal(provider), **kept, **derived}


def _recipe(value: Value, words: Mapping[str, str], keys: Mapping[str, object], where: str) -> Recipe:
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
