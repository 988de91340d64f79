"""Secrets of a plan: which there are, their generation and their recipes. Never their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aistack.api.names import MAX_NAME, object_name
from aistack.catalog.fields import Value
from aistack.catalog.models import Contract, Provide
from aistack.errors import CatalogError, SpecError
from aistack.objects.plan import CreateSecret, Observed
from aistack.objects.recipes import Literal, Once, recipe_hash
from aistack.planning.borrowed import Borrowed, needed_of_admin, needed_of_share
from aistack.planning.external import Outside
from aistack.planning.recipes import (
    Recipes,
    acyclic,
    check_admin,
    check_shared_admin,
    complete,
    contract_recipes,
    recipe_of,
)
from aistack.planning.resolve import Resolved
from aistack.planning.wire import Edge, Inside

RecipesOf = Callable[[int], Recipes]
"""A Secret's recipes for a generation."""
OUTSIDE = "external"
"""What a binding names as its provider where that is none of the stack's."""
_ITEM = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True)
class SecretPlanner:
    """Makes the Secrets of one stack.

    Args:
        stack: the stack's name.
        namespace: its namespace.
        contracts: the catalog's contracts.
        observed: tells which generations exist.
        rotate: requests for new credentials, by the edge's key.
    """

    stack: str
    namespace: str
    contracts: Mapping[str, Contract]
    observed: Observed
    rotate: Mapping[str, str] = field(default_factory=dict)

    def admin(self, r: Resolved, provide: Provide) -> CreateSecret:
        """Return the admin binding that a provider serves a contract with; credentials may come from the user."""
        owner, file = r.component.spec.administrator(provide.contract), f"{r.component.folder}/component.yaml"
        contract = self.contract(owner.contract, r)
        check_admin(owner, contract, file)
        check_shared_admin(self.contract(provide.contract, r), contract, file)
        given = self._given(r, owner, contract)

        def recipes(generation: int) -> Recipes:
            words = self._words(r.name, generation)
            made = {**self._place(r, owner), **contract_recipes(owner.admin, contract, words), **given}
            return complete(contract, made, provider=r.name)

        return self._create(object_name(self.stack, r.name, owner.contract, "admin"), recipes)

    def outside_admin(self, edge: Edge, outside: Outside) -> CreateSecret:
        """Return the admin binding for the claims of one edge to a provider outside the stack: a copy that is whole."""
        contract = self.contracts[edge.contract]
        held = self._borrowed(outside, contract).recipes(contract.keys, needed_of_admin(contract))
        made = complete(contract, held, provider=OUTSIDE)
        base = object_name(self.stack, edge.consumer, edge.require.edge, "admin")
        return replace(self._create(base, lambda _: made), retain=False)

    def share(self, edge: Edge, resolved: Mapping[str, Resolved]) -> CreateSecret:
        """Return a consumer's share: what differs between consumers is made by the contract's ``share``."""
        base = object_name(self.stack, edge.consumer, edge.require.edge)
        source, rotate = edge.source, self.rotate.get(edge.key, "")
        if isinstance(source, Inside):
            return self._create(base, self._inside_share(edge, resolved[source.name], source.provide), rotate)
        contract = self.contracts[edge.contract]
        if source.claimed:
            return self._create(base, self._outside_share(edge, source, contract), rotate)
        held = self._borrowed(source, contract).recipes(contract.keys, needed_of_share(contract))
        made = complete(contract, held, provider=OUTSIDE)
        return self._create(base, lambda _: made, rotate)

    def _inside_share(self, edge: Edge, provider: Resolved, provide: Provide) -> RecipesOf:
        contract = self.contract(provide.contract, provider)
        admin = provider.component.spec.administrator(provide.contract).admin
        common = {k: v for k, v in admin.items() if k not in contract.share}
        public = {k: v for k, v in common.items() if k in contract.keys and not contract.keys[k].secret}

        def recipes(generation: int) -> Recipes:
            made = contract_recipes({**public, **contract.share}, contract, self._share_words(edge, generation))
            return complete(contract, {**self._place(provider, provide), **made}, provider=provider.name)

        return recipes

    def _outside_share(self, edge: Edge, outside: Outside, contract: Contract) -> RecipesOf:
        public = [key for key, spec in contract.keys.items() if key not in contract.share and not spec.secret]
        borrowed = self._borrowed(outside, contract)
        held = borrowed.recipes(public, needed_of_admin(contract).intersection(public))

        def recipes(generation: int) -> Recipes:
            made = contract_recipes(contract.share, contract, self._share_words(edge, generation))
            return complete(contract, {**held, **made}, provider=OUTSIDE)

        return recipes

    def _share_words(self, edge: Edge, generation: int) -> dict[str, str]:
        share = object_name(self.stack, edge.share)
        return self._words(edge.consumer, generation) | {"share": share, "share_": share.replace("-", "_")}

    def _borrowed(self, outside: Outside, contract: Contract) -> Borrowed:
        return Borrowed(outside.secret, f"{outside.field}.secretRef", contract, self.observed.users)

    def _given(self, r: Resolved, provide: Provide, contract: Contract) -> Recipes:
        """Return the recipes of an administrator's credentials that the user brings along."""
        keys = [key for key in provide.admin if contract.keys[key].secret]
        field = f"{r.field}.adminSecretRef"
        borrowed = Borrowed(r.admin_secret, field, contract, self.observed.users)
        return borrowed.recipes(keys, keys) if r.admin_secret else {}

    def own(self, r: Resolved) -> list[CreateSecret]:
        """Return the Secrets that a component generates for itself."""
        return [
            self._own(r, name, item, spec.data)
            for name, spec in r.component.spec.secrets.items()
            for item in self._items(r, name, spec.each)
        ]

    def own_name(self, r: Resolved, name: str) -> str:
        """Return the name of one of a component's own Secrets, which isn't one of several."""
        return self._own(r, name, "", r.component.spec.secrets[name].data).ref.name

    def once(self, name: str, kind: str, values: Mapping[str, str]) -> CreateSecret:
        """Return a Secret that a chart fills, which is made once and kept.

        Args:
            name: what the chart calls it.
            kind: its type, e.g. ``Opaque``.
            values: what the chart made this time.
        """
        made = self._create(name, lambda _: {key: Once(value) for key, value in values.items()})
        return replace(made, manifest={**made.manifest, "type": kind})

    def _own(self, r: Resolved, name: str, item: str, data: Mapping[str, Value]) -> CreateSecret:
        where = f"{r.component.folder}/component.yaml"

        def recipes(generation: int) -> Recipes:
            words = self._words(r.name, generation) | {"item": item}
            return acyclic({key: recipe_of(value, words, data, where) for key, value in data.items()}, where)

        return self._create(object_name(self.stack, r.name, name, item), recipes)

    def _items(self, r: Resolved, name: str, each: str | None) -> list[str]:
        """Return what a Secret is made for, once each.

        Raises:
            SpecError: an item can't be a part of a Secret's name, or stands there twice.
        """
        if each is None:
            return [""]
        items = [str(item) for item in r.values.get(each, [])]
        room = MAX_NAME - len(object_name(self.stack, r.name, name)) - 1
        for i, item in enumerate(items):
            if problem := _item_problem(item, items[:i], room):
                raise SpecError(f"{r.field}.values.{each}[{i}]", f"{item[:MAX_NAME]!r} {problem[0]}", problem[1])
        return items

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

    def _create(self, base: str, recipes_of: RecipesOf, rotate: str = "") -> CreateSecret:
        generation = self._generation(base, recipes_of, rotate)
        known = self.observed.secrets.get(base)
        manifest: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"{base}-{generation}", "namespace": self.namespace},
            "type": "Opaque",
            "immutable": True,
        }
        token = rotate or (known.token if known else "")
        return CreateSecret(base, generation, manifest, recipes_of(generation), token=token)

    def _generation(self, base: str, recipes_of: RecipesOf, rotate: str) -> int:
        record = self.observed.secrets.get(base)
        if record is None:
            return 1
        unchanged = record.present and recipe_hash(recipes_of(record.generation)) == record.recipe_hash
        asked = bool(rotate) and rotate != record.token
        return record.generation if unchanged and not asked else record.generation + 1


def service_host(stack: str, namespace: str, component: str, workload: str) -> str:
    """Return the DNS name of a workload's Service."""
    return f"{service_name(stack, component, workload)}.{namespace}.svc"


def service_name(stack: str, component: str, workload: str) -> str:
    """Return the name of a workload's Service; that of the workload ``server`` has no suffix."""
    return object_name(stack, component, "" if workload == "server" else workload)


def _item_problem(item: str, before: Sequence[str], room: int) -> tuple[str, str] | None:
    """Return what is wrong with an item, and what to do."""
    if not _ITEM.fullmatch(item):
        return "can't be a part of an object's name", "write lower-case letters, digits and '-'"
    if item in before:
        return "stands here twice", "write each entry once"
    if len(item) > room:
        return f"has {len(item)} characters, too many for the name of its Secret", f"write at most {room} characters"
    return None
