"""What bills of materials are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

Files = Mapping[str, bytes]
"""Contents of an image's files, by path without a leading slash."""


@dataclass(frozen=True, order=True)
class Package:
    """One thing that an image holds. ``kind`` is its kind in a package URL, e.g. ``deb`` or ``pypi``."""

    kind: str
    name: str
    version: str
    namespace: str = ""
    licences: tuple[str, ...] = ()
    """As its maker names them."""
    expression: bool = False
    """Whether the licence is an SPDX expression."""
    hashes: tuple[str, ...] = ()
    """SHA-256 of the files that it may have been installed from, as the image's lock pins them."""
    qualifiers: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def url(self) -> str:
        """Its package URL."""
        path = "/".join(quote(part, safe="") for part in (*self.namespace.split("/"), self.name) if part)
        asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(self.qualifiers))
        return f"pkg:{self.kind}/{path}@{quote(self.version, safe='')}" + (f"?{asked}" if asked else "")
