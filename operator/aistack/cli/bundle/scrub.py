"""Takes secret values out of texts. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import quote, unquote, urlsplit

STARS = "***"
SHORTEST = 4
"""Characters: shorter values can't be told from ordinary words."""
LINE = 12
"""Characters of a line, of a value of several, that is looked for by itself."""


class Scrubber:
    """Replaces secret values by stars.

    Args:
        secrets: values of Secrets by key, one mapping for each Secret.
        plain: keys whose values aren't secret, e.g. ``host``.
    """

    def __init__(self, secrets: Iterable[Mapping[str, bytes]], plain: Collection[str] = ()) -> None:
        found = {form for secret in secrets for value in _values(secret, plain) for form in _forms(value)}
        # Long ones first: what is left of a text that held another one would be told otherwise.
        self._needles = sorted(found, key=lambda form: (-len(form), form))

    def scrub(self, text: str) -> str:
        """Return a text without any of the values."""
        for needle in self._needles:
            if needle in text:
                text = text.replace(needle, STARS)
        return text

    def __len__(self) -> int:
        return len(self._needles)


def _values(secret: Mapping[str, bytes], plain: Collection[str]) -> Iterator[str]:
    texts = {key: value.decode(errors="replace") for key, value in secret.items()}
    for key, text in texts.items():
        if key not in plain:
            yield from _parts(text)
    if "username" in texts and "password" in texts:  # as HTTP sends them
        yield base64.b64encode(f"{texts['username']}:{texts['password']}".encode()).decode()


def _parts(text: str) -> Iterator[str]:
    """Yield a value, and the parts of it that somebody may have written down by themselves."""
    yield text.strip()
    yield from (
        line.strip() for line in text.splitlines() if len(line.strip()) >= LINE and line.strip() != text.strip()
    )
    yield from _leaves(_parsed(text))
    for word in text.split():
        yield from _password(word)


def _password(word: str) -> Iterator[str]:
    """Yield the password of a URL, as it is written there and as it is meant."""
    try:
        password = urlsplit(word).password if "://" in word else None
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(data: object) -> Iterator[str]:
    """Yield the texts of a JSON document, e.g. of a registry's login."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from (leaf for value in data.values() for leaf in _leaves(value))
    elif isinstance(data, list):
        yield from (leaf for value in data for leaf in _leaves(value))


def _forms(value: str) -> Iterator[str]:
    """Yield the ways to write a value: as it is, in base64, in a URL, in JSON."""
    if len(value) < SHORTEST:
        return
    yield value
    yield quote(value, safe="")
    yield quote(value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield from (base64.b64encode(text.encode()).decode() for text in (value, f"{value}\n"))
    yield base64.urlsafe_b64encode(value.encode()).decode()
