"""Feuds: objects that somebody else changes back each time we put them right; each further round waits longer.

Remembered in memory alone: after a restart a feud gets its first rounds for free again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aistack.objects.manifest import ObjectRef

FREE = 10
"""Rounds without a pause: edits by hand, however many a person makes, are undone at once."""
PERIOD = 60.0
"""Seconds in which they must have happened: whoever edits less often has no feud with us."""
LONGEST = 300.0
"""Longest pause, in seconds; the first is one second, and each further one twice as long."""


@dataclass
class _Feud:
    rounds: list[float] = field(default_factory=list)
    """When we put it right, newest last."""
    pauses: int = 0
    """How many pauses there were."""


class Feuds:
    """What was put right lately. Times are in seconds, of whichever clock the caller has."""

    def __init__(self) -> None:
        self._feuds: dict[ObjectRef, _Feud] = {}

    def repaired(self, ref: ObjectRef, now: float) -> None:
        """Note that an object was put right."""
        feud = self._feuds.setdefault(ref, _Feud())
        if feud.rounds and now - feud.rounds[-1] > max(PERIOD, 2 * _pause(feud)):
            feud.rounds, feud.pauses = [], 0  # there was peace
        feud.rounds = [*feud.rounds[1 - FREE :], now]
        if len(feud.rounds) == FREE and (feud.pauses or now - feud.rounds[0] < PERIOD):
            feud.pauses += 1
        self._drop_old(now)

    def pause(self, ref: ObjectRef, now: float) -> float:
        """Return how long an object is to be left as it is, 0 if it may be put right at once."""
        feud = self._feuds.get(ref)
        return max(0.0, feud.rounds[-1] + _pause(feud) - now) if feud else 0.0

    def __len__(self) -> int:
        return len(self._feuds)

    def _drop_old(self, now: float) -> None:
        """Forget what has had peace for long."""
        old = [ref for ref, feud in self._feuds.items() if now - feud.rounds[-1] > 2 * LONGEST]
        for ref in old:
            del self._feuds[ref]


def _pause(feud: _Feud) -> float:
    return min(2.0 ** min(feud.pauses - 1, 16), LONGEST) if feud.pauses else 0.0
