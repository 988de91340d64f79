"""Feuds: who changes an object back each time is answered more and more seldom, and everybody else at once."""

from __future__ import annotations

import pytest

from aistack.cluster.feuds import FREE, LONGEST, PERIOD, Feuds
from aistack.objects.manifest import ObjectRef

REF = ObjectRef("v1", "ConfigMap", "ml", "c")
OTHER = ObjectRef("v1", "ConfigMap", "ml", "d")


def quarrel(feuds: Feuds, rounds: int, every: float, start: float = 0.0) -> float:
    """Put the object right as often, each time when it may be; return when that was last."""
    now = start
    for _ in range(rounds):
        now += max(every, feuds.pause(REF, now))
        feuds.repaired(REF, now)
    return now


@pytest.mark.parametrize(
    ("rounds", "every", "pause"),
    [
        pytest.param(0, 1, 0, id="nothing happened"),
        pytest.param(FREE - 1, 0.1, 0, id="a person at work"),
        pytest.param(3 * FREE, PERIOD / FREE + 1, 0, id="seldom enough for ever"),
        pytest.param(FREE, 0.1, 1, id="a feud"),
        pytest.param(FREE + 3, 0.1, 8, id="twice as long each time"),
        pytest.param(FREE + 30, 0.1, LONGEST, id="never longer than that"),
    ],
)
def test_the_pause_after_some_rounds(rounds: int, every: float, pause: float) -> None:
    feuds = Feuds()
    now = quarrel(feuds, rounds, every)
    assert feuds.pause(REF, now) == pytest.approx(pause)
    assert feuds.pause(OTHER, now) == 0


def test_peace_is_remembered_as_peace() -> None:
    feuds = Feuds()
    now = quarrel(feuds, FREE + 3, 0.1)
    feuds.repaired(REF, now + PERIOD + 1)
    assert feuds.pause(REF, now + PERIOD + 1) == 0


def test_nothing_is_remembered_for_ever() -> None:
    feuds = Feuds()
    now = quarrel(feuds, FREE, 0.1)
    feuds.repaired(OTHER, now + 2 * LONGEST + 1)
    assert len(feuds) == 1
