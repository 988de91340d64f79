"""Formats: texts with ``{key}`` for other values, ``{key:url}`` percent-encoded."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote

from aistack.errors import SpecError


def fill_all(values: dict[str, str], formats: dict[str, str], where: str) -> dict[str, str]:
    """Fill formats in, those first that need no other.

    Args:
        values: those that are known.
        formats: texts, by the key that they make.
        where: what they belong to, for messages.

    Returns:
        All values.

    Raises:
        SpecError: formats refer to each other in a circle, or to a key that isn't there.
    """
    needs = {key: [name for _, name, _, _ in Formatter().parse(text) if name] for key, text in formats.items()}
    done = dict(values)
    while len(done) < len(values) + len(formats):
        ready = [key for key in formats if key not in done and all(name in done for name in needs[key])]
        if not ready:
            stuck = ", ".join(sorted(formats.keys() - done.keys()))
            raise SpecError(where, f"the formats of {stuck} refer to keys that don't exist or to each other")
        for key in ready:
            done[key] = _fill(formats[key], done)
    return done


def _fill(template: str, values: Mapping[str, str]) -> str:
    parts = []
    for text, name, form, _ in Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append(quote(values[name], safe="") if form == "url" else values[name])
    return "".join(parts)
