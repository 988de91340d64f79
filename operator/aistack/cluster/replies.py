"""Answers of the API server, and the errors that they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aistack.errors import AIStackError, ClusterError, ForbiddenError, InvalidError

RIGHT_MISSING = re.compile(r"cannot \w+ (resource|path)|attempting to grant")
"""How the API server words a missing right; admission plugins (quota, pod security) refuse with 403 as well."""


@dataclass(frozen=True)
class Reply:
    """One answer; ``tried`` says in words what was asked for."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    tried: str = ""
    retry_after: float = 0.0
    remedy: str = ""
    """What grants the right that is missing, where that is known."""

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """Kubernetes' machine-readable reason, e.g. ``Conflict``."""
        return str(self.body.get("reason", ""))

    @property
    def message(self) -> str:
        """What the server said."""
        return str(self.body.get("message") or f"HTTP {self.status}")

    @property
    def causes(self) -> tuple[Mapping[str, Any], ...]:
        """Details of a refusal: reason, message and field each."""
        return tuple((self.body.get("details") or {}).get("causes") or ())

    @property
    def field_conflicts(self) -> tuple[Mapping[str, Any], ...]:
        """Fields that another manager owns (server-side apply)."""
        return tuple(c for c in self.causes if c.get("reason") == "FieldManagerConflict")

    @property
    def identity_mismatch(self) -> bool:
        """Whether a guarded write met another object than expected: none, a new one, or one where none should be."""
        if self.status == 409:
            return not self.field_conflicts
        return self.status == 422 and any(c.get("field") == "metadata.uid" for c in self.causes)

    @property
    def lacks_right(self) -> bool:
        """Whether whoever asked lacks a right; admission plugins refuse for other reasons."""
        return self.status == 401 or (self.status == 403 and bool(RIGHT_MISSING.search(self.message)))

    def result(self) -> dict[str, Any]:
        """Return the object.

        Raises:
            ForbiddenError: a right is missing.
            InvalidError: the object is refused for its content.
            ClusterError: anything else.
        """
        if not self.ok:
            raise self.error()
        return dict(self.body)

    def error(self) -> AIStackError:
        """Translate a refusal into words: what was tried, what is wrong, what to do."""
        if self.lacks_right:
            lack = f"{self.remedy} ({self.message})" if self.remedy else self.message
            return ForbiddenError(f"{self.tried}: a right is missing: {lack}", self.status, self.reason)
        if self.status in (400, 422):
            return InvalidError(f"{self.tried}: refused by the API server: {self.message}")
        if self.status == 404 and (self.body.get("details") or {}).get("kind") == "namespaces":
            return ClusterError(f"{self.tried}: {_missing_namespace(self.body['details'])}", 404, self.reason)
        return ClusterError(f"{self.tried}: {self.message}", self.status, self.reason)


def _missing_namespace(details: Mapping[str, Any]) -> str:
    name = details.get("name", "")
    return f"namespace {name!r} doesn't exist; kubectl create namespace {name}"
