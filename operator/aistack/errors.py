"""Every exception that AIStack raises on purpose, as one tree.

::

    AIStackError
    ├── InvalidError             the user must change something; retrying alone can't help   -> condition Stalled
    │   ├── SpecError            a field of the AIStack: which, what is wrong, what to write instead
    │   ├── CatalogError         a file of the catalog: file, line, what is wrong
    │   ├── NonconformingError   a component doesn't do what its folder promises
    │   ├── ArtifactError        an OCI artifact isn't what was asked for, or isn't safe to unpack
    │   └── ForeignObjectError   an object of the same name exists and isn't ours; it is never taken over
    └── NotReadyError            the world isn't there yet; the same call may succeed later  -> retry with backoff
        ├── AwaitedError         what a field of the AIStack names isn't there yet
        ├── ClusterError         the API server refused or failed a request (status, reason)
        │   └── ForbiddenError   the operator, or the user, lacks a right
        ├── RegistryError        a registry didn't answer, or refused (status)
        ├── NotLeadingError      another replica works; this one must not write
        └── ToolError            a program we call (docker, buildah, kind) is missing or failed

Messages are for people: where, what is wrong, what to do. They never hold a secret value.
"""

from __future__ import annotations

import math
from typing import ClassVar


class AIStackError(Exception):
    """Base of all errors raised on purpose."""


class InvalidError(AIStackError):
    """Only a change by the user can help."""


class SpecError(InvalidError):
    """A field of a user's object is wrong.

    Args:
        field: path as in ``kubectl explain``, e.g. ``spec.components[mlflow].values.workers``.
        problem: what is wrong with it.
        remedy: what to write instead.
    """

    def __init__(self, field: str, problem: str, remedy: str = "") -> None:
        self.field, self.problem, self.remedy = field, problem, remedy
        super().__init__(f"{field}: {problem}" + (f"; {remedy}" if remedy else ""))


class CatalogError(InvalidError):
    """A file of the catalog is wrong.

    Args:
        file: path relative to the catalog.
        problem: what is wrong.
        line: 1-based line, 0 where the whole file is meant.
    """

    def __init__(self, file: str, problem: str, line: int = 0) -> None:
        self.file, self.problem, self.line = file, problem, line
        super().__init__(f"{file}:{line}: {problem}" if line else f"{file}: {problem}")


class NonconformingError(InvalidError):
    """A component doesn't do what its folder promises."""


class ArtifactError(InvalidError):
    """An artifact can't be used as it is, whoever asks and however often.

    Args:
        artifact: its reference, or the file that it was read from.
        problem: what is wrong with it.
        remedy: what to do.
    """

    def __init__(self, artifact: str, problem: str, remedy: str) -> None:
        self.artifact, self.problem, self.remedy = artifact, problem, remedy
        super().__init__(f"{artifact}: {problem}; {remedy}")


class ForeignObjectError(InvalidError):
    """An object that the plan would write exists already and belongs to somebody else."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(
            f"{reference} exists and was not made by this stack; delete or rename it, or give the stack another name"
        )


class NotReadyError(AIStackError):
    """The same call may succeed later."""

    patience: ClassVar[float] = math.inf
    """Most seconds between two tries, give or take a quarter, where whoever tries would wait for longer by itself."""


class AwaitedError(NotReadyError):
    """What a field of a user's object names doesn't exist yet.

    Args:
        field: path as in ``kubectl explain``.
        problem: what isn't there.
        remedy: what to do.
    """

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        self.field, self.problem, self.remedy = field, problem, remedy
        super().__init__(f"{field}: {problem}; {remedy}")


class ClusterError(NotReadyError):
    """The API server refused or failed a request.

    Args:
        message: what was tried and what the server said.
        status: HTTP status, 0 where no answer came.
        reason: Kubernetes' machine-readable reason, e.g. ``Conflict``.
    """

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        self.status, self.reason = status, reason
        super().__init__(message)


class ForbiddenError(ClusterError):
    """A right is missing (HTTP 401 or 403)."""

    patience = 30.0  # rights can be granted where we can't watch, and whoever grants one looks on


class RegistryError(NotReadyError):
    """A registry of artifacts refused or failed a request.

    Args:
        artifact: what was asked for.
        problem: what the registry said, or that it said nothing.
        remedy: what to do.
        status: HTTP status, 0 where no answer came.
    """

    def __init__(self, artifact: str, problem: str, remedy: str, status: int = 0) -> None:
        self.artifact, self.problem, self.remedy, self.status = artifact, problem, remedy, status
        super().__init__(f"{artifact}: {problem}; {remedy}")


class NotLeadingError(NotReadyError):
    """This replica of the operator isn't the one that works."""


class ToolError(NotReadyError):
    """A program that is needed is missing or failed."""
