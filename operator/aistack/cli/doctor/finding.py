"""Findings of the doctor, and what checks work with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aistack.api.status import Footprint
    from aistack.cluster.client import Client
    from aistack.objects.manifest import Manifest, ObjectKind


Manifests = list["Manifest"]


class Mark(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    """It works, and something will surprise somebody."""
    FAIL = "fail"
    """A stack won't work so."""
    UNKNOWN = "unknown"
    """It couldn't be looked at."""


@dataclass(frozen=True)
class Finding:
    """What one check found; ``remedy`` is what to do about it."""

    check: str
    mark: Mark
    message: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


@dataclass(frozen=True)
class Case:
    """A cluster to look at, and what is to run there."""

    client: Client
    version: Mapping[str, Any]
    """What the API server says of its version."""
    namespace: str
    profile: str
    footprint: Footprint
    images: frozenset[str]
    """References of what the profile runs."""
    _asked: dict[tuple[ObjectKind, str], asyncio.Task[Manifests]] = field(default_factory=dict)

    async def list(self, kind: ObjectKind, namespace: str = "") -> Manifests:
        """Return all objects of a kind; several checks may look at them, and they are asked for once.

        Raises:
            AIStackError: they can't be listed.
        """
        key = kind, namespace
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._list(kind, namespace))
        return await self._asked[key]

    async def _list(self, kind: ObjectKind, namespace: str) -> Manifests:
        items: Manifests = (await self.client.list(kind, namespace)).result()["items"] or []
        return items


Check = Callable[[Case], Awaitable[Finding]]


def quoted(names: Any) -> str:
    """Write names one after the other."""
    return ", ".join(sorted(map(str, names)))
