"""Recipes from users' Secrets: each is checked against its contract before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import re2

from aistack.catalog.models import Contract
from aistack.catalog.references import fields_of
from aistack.errors import AwaitedError, SpecError
from aistack.objects.recipes import Literal, Recipe, Ref
from aistack.objects.users import UserSecret

_LONGEST = 60
"""Most characters of a value that a message repeats."""


@dataclass(frozen=True)
class Borrowed:
    """A user's Secret as a source of a contract's keys.

    Args:
        secret: its name.
        field: where the user wrote that name, for messages.
        contract: whose keys it has.
        users: the users' Secrets that exist; None where no cluster was asked: all that is needed is taken to be there.
    """

    secret: str
    field: str
    contract: Contract
    users: Mapping[str, UserSecret] | None

    def recipes(self, keys: Iterable[str], needed: Iterable[str]) -> dict[str, Recipe]:
        """Return recipes of those keys that the Secret has.

        Args:
            keys: what is wanted of it.
            needed: what it must have.

        Raises:
            AwaitedError: it doesn't exist yet.
            SpecError: it is another contract's, lacks a key, or has a value that can't be one.
        """
        needed = sorted(needed)
        if self.users is None:
            return {key: Ref(self.secret, key) for key in needed}
        known = self._known(needed)
        self._refuse_other_type(known)
        self._refuse_missing(known, needed)
        return {key: self._recipe(known, key) for key in keys if key in known or key in known.unusable}

    def _known(self, needed: list[str]) -> UserSecret:
        known = (self.users or {}).get(self.secret)
        if known is None:
            raise AwaitedError(
                f"{self.field}.name",
                f"there is no Secret {self.secret!r} in the stack's namespace",
                f"make it with the keys {', '.join(needed)}; nothing is changed until it is there",
            )
        return known

    def _refuse_other_type(self, known: UserSecret) -> None:
        found = known.values.get("type", self.contract.name)
        if found != self.contract.name:
            problem = f"Secret {self.secret!r} says that it is of type {found[:_LONGEST]!r}"
            remedy = f"name one for {self.contract.name}, or correct or remove its key type"
            raise SpecError(f"{self.field}.name", problem, remedy)

    def _refuse_missing(self, known: UserSecret, needed: list[str]) -> None:
        missing = [key for key in needed if key not in known and key not in known.unusable]
        if missing:
            problem = f"Secret {self.secret!r} has no value for {_counted(missing)}, which {self.contract.name} needs"
            others = sorted(known.others)[:12]
            instead = f"; it has {', '.join(others)}, which {self.contract.name} doesn't know" if others else ""
            raise SpecError(f"{self.field}.name", problem, f"add {'it' if len(missing) == 1 else 'them'}{instead}")

    def _recipe(self, known: UserSecret, key: str) -> Recipe:
        if key in known.unusable:
            self._refuse(key, known.unusable[key])
        if key in known.marks:
            return Ref(self.secret, key, known.marks[key])
        value, spec = known.values[key], self.contract.keys[key]
        if spec.pattern and not re2.fullmatch(spec.pattern, value):
            self._refuse(key, f"{value[:_LONGEST]!r} doesn't fit ({spec.about})")
        return Literal(value)

    def _refuse(self, key: str, problem: str) -> None:
        raise SpecError(f"{self.field}.name", f"key {key!r} of Secret {self.secret!r}: {problem}", "correct it there")


def needed_of_admin(contract: Contract) -> set[str]:
    """Return the keys without which nobody can administer a provider."""
    return {key for key, spec in contract.keys.items() if not spec.optional and spec.default is None}


def needed_of_share(contract: Contract) -> set[str]:
    """Return the keys without which a consumer can't use a share: those that its other forms are made of as well."""
    derived = {name for text in contract.derived.values() for name in fields_of(text)}
    return needed_of_admin(contract) | {key for key in derived if contract.keys[key].default is None}


def _counted(keys: list[str]) -> str:
    return f"the key {keys[0]}" if len(keys) == 1 else f"the keys {', '.join(keys)}"
