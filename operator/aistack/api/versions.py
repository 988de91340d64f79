"""The Kubernetes versions that stacks run on, and what to say of the others. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

OLDEST_KUBERNETES = (1, 30)
"""Pods wait with ``sleep`` before they end."""
TESTED_KUBERNETES = ("1.34.4", "1.35.4", "1.36.3")
"""What the integration tests ran on, oldest first; `make test-matrix` runs these, and 1.37, which wasn't seen yet."""


class Fit(StrEnum):
    """Whether a cluster's version will do."""

    TESTED = "tested"
    UNTESTED = "untested"
    """Older than those that are tested, and new enough."""
    NEWER = "newer"
    """Newer than those that are tested: most likely well."""
    TOO_OLD = "too old"


@dataclass(frozen=True)
class ServerVersion:
    """A version, as the API server names it, and what to make of it."""

    name: str
    fit: Fit

    @property
    def remedy(self) -> str:
        """What to do about it, if anything."""
        if self.fit is Fit.TOO_OLD:
            return f"{_dotted(OLDEST_KUBERNETES)} or newer is needed: upgrade it"
        if self.fit is Fit.NEWER:
            return "look for a newer AIStack if something goes wrong"
        return ""

    def __str__(self) -> str:
        told = {
            Fit.TOO_OLD: " is too old",
            Fit.NEWER: f" is newer than what this version was tested on ({range_tested()})",
            Fit.UNTESTED: f" (tests run on {range_tested()})",
        }
        return self.name + told.get(self.fit, "")


def judge_server(info: Mapping[str, Any]) -> ServerVersion:
    """Judge what an API server says of itself at ``/version``.

    Args:
        info: ``major``, ``minor`` and ``gitVersion``; clouds write a minor version such as ``34+``.
    """
    found = tuple(int(re.sub(r"\D.*", "", str(info[part])) or 0) for part in ("major", "minor"))
    name = str(info.get("gitVersion", _dotted(found)))
    tested = [_minor(version) for version in TESTED_KUBERNETES]
    if found < OLDEST_KUBERNETES:
        return ServerVersion(name, Fit.TOO_OLD)
    if found > tested[-1]:
        return ServerVersion(name, Fit.NEWER)
    return ServerVersion(name, Fit.TESTED if found in tested else Fit.UNTESTED)


def range_tested() -> str:
    """Return the first and the last of the minor versions that are tested."""
    return f"{_dotted(_minor(TESTED_KUBERNETES[0]))} to {_dotted(_minor(TESTED_KUBERNETES[-1]))}"


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
