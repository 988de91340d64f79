"""Python's packages of an image, from the notes of who installed them; hashes from the image's lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import BytesParser

from aistack.images.sbom.models import Files, Package

_LOCKED = re.compile(
    r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)((?:[ \t]*\\?\n?[ \t]+--hash=sha256:[0-9a-f]{64})*)", re.MULTILINE
)
_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST = 80
"""Letters; what is longer is the licence's text."""


def wanted(path: str) -> bool:
    """Tell whether this module reads a file."""
    return path.endswith(".dist-info/METADATA")


def packages(files: Files, lock: str = "") -> Iterator[Package]:
    """Yield every distribution that is installed.

    Args:
        files: the image's.
        lock: text of its ``requirements.txt``.
    """
    pinned = locked(lock)
    for path in filter(wanted, files):
        fields = BytesParser().parsebytes(files[path], headersonly=True)
        name, version = _normal(str(fields["Name"])), str(fields["Version"])
        licences, expression = _licences(fields)
        hashes = pinned.get((name, version), ())
        yield Package("pypi", name, version, licences=licences, expression=expression, hashes=hashes)


def locked(lock: str) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the hashes that a lock pins, by name and version."""
    found = _LOCKED.findall(lock)
    return {(_normal(name), version): tuple(sorted(_HASH.findall(rest))) for name, version, rest in found}


def _licences(fields: Message) -> tuple[tuple[str, ...], bool]:
    if expression := str(fields["License-Expression"] or ""):
        return (expression,), True
    named = str(fields["License"] or "").strip()
    if named and named != "UNKNOWN" and "\n" not in named and len(named) <= _LONGEST:
        return (named,), False
    classifiers = [str(text).split(" :: ") for text in fields.get_all("Classifier", [])]
    return tuple(sorted({words[-1] for words in classifiers if words[0] == "License" and len(words) > 2})), False


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
