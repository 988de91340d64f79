"""A stage of a stack's life, where it takes place, and what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from aistack.cluster.client import Client
from tests.cluster.controlplane import ControlPlane
from tests.faults import state
from tests.faults.calls import Call, Point
from tests.faults.hands import Hands
from tests.faults.proxy import Entry

if TYPE_CHECKING:
    from tests.faults.life import Life


class BrokenError(AssertionError):
    """A stage didn't end as it should."""


@dataclass(frozen=True)
class Plane:
    """What all lives on one control plane share."""

    cluster: ControlPlane
    client: Client
    session: aiohttp.ClientSession
    hands: Hands
    folder: Path


@dataclass
class Met:
    """What a stage came to."""

    state: state.State
    entries: list[Entry]
    seconds: float
    struck: bool = True
    starts: int = 0
    """How often the operator was started."""

    def calls(self) -> int:
        """Requests that reached the server, besides watches and heartbeats."""
        reached = (entry.point.call for entry in self.entries if entry.status)
        return sum(not (call.streams or call.beats) for call in reached)

    def points(self) -> list[Point]:
        """Every request."""
        return [entry.point for entry in self.entries]

    def writes(self) -> list[Point]:
        """Writes that took effect, besides heartbeats."""
        calls = ((entry.point, entry.point.call) for entry in self.entries if entry.effective)
        return [point for point, call in calls if call.writes and not call.beats]

    def done(self, verb: str) -> Counter[Call]:
        """Calls of this kind that took effect; an object that goes slowly may be deleted twice, and counts once."""
        found = ((e.point, e.uid) for e in self.entries if e.point.call.verb == verb and e.effective)
        return Counter(call for call, _ in {(point.call, uid or point.nth) for point, uid in found})


Act = Callable[["Life"], Awaitable[None]]


@dataclass(frozen=True)
class Stage:
    """A step of a stack's life; ``still`` when nothing may be written in it."""

    name: str
    act: Act
    gone: bool = False
    still: bool = False
