"""How well the cluster is seen: a watch's standing, for those who look after the operator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sight:
    """One watch.

    Args:
        kind: of the objects.
        silent: seconds since the API server last said something; bookmarks come every minute.
        problem: why it can't be followed at present; empty if it can.
    """

    kind: str
    silent: float
    problem: str
