"""Secret recipes: how each key of a Secret is made, without its value.

A plan holds recipes; ``cluster`` resolves them at the moment it creates the Secret, so that no plan, diff, log or
status can show a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aistack.objects.manifest import content_hash

ALPHABETS: Mapping[str, str] = {
    "alphanumeric": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "hex": "0123456789abcdef",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
}


@dataclass(frozen=True)
class Literal:
    """A value that is not secret, e.g. a host name."""

    value: str


@dataclass(frozen=True)
class Generate:
    """A random value of ``length`` characters from one of :data:`ALPHABETS`, after an optional fixed ``prefix``."""

    length: int
    alphabet: str = "alphanumeric"
    prefix: str = ""


@dataclass(frozen=True)
class Format:
    """A text with ``{key}`` for other keys of the same Secret; ``{key:url}`` percent-encodes the value."""

    template: str


@dataclass(frozen=True)
class Ref:
    """The value of a ``key`` of a user's ``secret``; ``mark`` changes when that value does, and tells nothing of it."""

    secret: str
    key: str
    mark: str = ""


@dataclass(frozen=True)
class Once:
    """A value that a chart made: the first one stays, and what it makes the next time counts for nothing.

    It is never shown, compared or hashed.
    """

    value: str = field(repr=False, compare=False)


Recipe = Literal | Generate | Format | Ref | Once


def describe(recipe: Recipe) -> str:
    """Tell people how a value is made, e.g. ``generated, 32 characters``."""
    match recipe:
        case Literal(value):
            return value
        case Generate(length, _, prefix):
            return f"generated, {len(prefix) + length} characters"
        case Format(template):
            return template
        case Ref(secret, key):
            return f"{key} of Secret {secret}"
        case Once():
            return "made by the chart, once"


def recipe_hash(recipes: Mapping[str, Recipe]) -> str:
    """Hash a Secret's recipes: it changes when, and only when, the Secret must be made anew."""
    return content_hash({key: {"as": type(r).__name__, **as_data(r)} for key, r in recipes.items()})


def as_data(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe's fields as plain data, without what is never shown."""
    return {} if isinstance(recipe, Once) else asdict(recipe)
