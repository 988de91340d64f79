"""Bindings as Kubernetes mounts them, and how their secrets are kept out of texts."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

Binding = dict[str, str]
BINDINGS = Path("/bindings")
CA, CA_FILE = "ca.crt", "ca-file"
"""The provider's certificate authority; programs get the file's path as well, as most libraries want one."""
LONGEST = 1000
"""Most characters of a message."""
SHORTEST_SECRET = 6
"""Fewest characters of a value that is blotted out: a shorter one stands in every other word."""
_SECRET_KEY = re.compile(r"password|secret|token|key", re.IGNORECASE)
_URI_PASSWORD = re.compile(r"://[^/?#\s:]*:([^/?#\s]+)@")


def read_binding(folder: Path) -> Binding:
    """Read a mounted Secret: one file a key. Kubernetes' own entries begin with two dots."""
    found = {f.name: f.read_text("utf-8") for f in sorted(folder.iterdir()) if not f.name.startswith("..")}
    return found | ({CA_FILE: str(folder / CA)} if found.get(CA) else {})


def hider(*bindings: Binding) -> Callable[[str], str]:
    """Return a function that blots secret values out of a text and makes it one line."""
    plain = {secret for b in bindings for key, value in b.items() for secret in _secrets(key, value)}
    forms = {form for secret in plain for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))}
    ordered = sorted(forms, key=len, reverse=True)

    def hide(text: str) -> str:
        for value in ordered:
            text = text.replace(value, "***")
        return " ".join(text.split())[:LONGEST]

    return hide


def _secrets(key: str, value: str) -> Iterator[str]:
    """Yield what is secret of a binding's entry: all of it, or the password inside a URI."""
    found = [value] if _SECRET_KEY.search(key) else _URI_PASSWORD.findall(value)
    yield from (secret for secret in found if len(secret) >= SHORTEST_SECRET)
