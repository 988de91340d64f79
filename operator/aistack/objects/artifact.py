"""Names of OCI artifacts, and of what is in ours. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from aistack.errors import InvalidError

FOLDER = "application/vnd.aistack.folder.v1.tar+gzip"
"""Media type of a layer: a packed folder."""
PIECE = "application/vnd.aistack.piece.v1"
"""Type of an artifact that holds components and contracts."""
RELEASE = "application/vnd.aistack.release.v1"
"""Type of an artifact that holds a whole catalog."""
DIGEST = re.compile("sha256:[0-9a-f]{64}")
_LABEL = "[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
HOST = rf"(?:(?:{_LABEL}(?:[.]{_LABEL})+|localhost)(?::[0-9]{{1,5}})?|{_LABEL}:[0-9]{{1,5}})"
"""Host of a registry, with a dot or a port: any other first part is a path on docker.io to most programs."""
_PART = "[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*"
REPOSITORY = f"{_PART}(?:/{_PART})*"
TAG = "[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}"
_REFERENCE = re.compile(
    f"(?:oci://)?(?P<host>{HOST})/(?P<repository>{REPOSITORY})(?::(?P<tag>{TAG}))?(?:@(?P<digest>{DIGEST.pattern}))?"
)
PINNED = f"{HOST}/{REPOSITORY}(?::{TAG})?@{DIGEST.pattern}"
"""A reference that never means another artifact, as a pattern that RE2 and Python read alike."""


@dataclass(frozen=True)
class Reference:
    """Names an artifact in a registry; the digest, where there is one, decides and the tag is for people."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def version(self) -> str:
        """What the registry is asked for."""
        return self.digest or self.tag

    @property
    def place(self) -> str:
        """Registry and repository."""
        return f"{self.host}/{self.repository}"

    def pinned(self, digest: str) -> Reference:
        """Return the reference of this very artifact."""
        return Reference(self.host, self.repository, self.tag, digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.place}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Read a reference such as ``registry.example.com/ai/hello:1.0@sha256:…``.

    Raises:
        InvalidError: it is none, or names neither a tag nor a digest.
    """
    found = _REFERENCE.fullmatch(text)
    if not found or not (found["tag"] or found["digest"]):
        raise InvalidError(
            f"{text!r} is no reference of an artifact; write host/path:tag or host/path@sha256:…, the host with a dot "
            "or a port, e.g. registry.example.com/ai/hello:1.0"
        )
    return Reference(found["host"], found["repository"], found["tag"] or "", found["digest"] or "")


def digest_of(data: bytes) -> str:
    """Return what a registry knows these bytes by."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
