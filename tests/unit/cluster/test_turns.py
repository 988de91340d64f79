"""When proofs have their turn: a thousand stacks don't try at once."""

from __future__ import annotations

from collections import Counter

from aistack.cluster.proofs import turn_of

EVERY = 3600
IDENTITIES = ("mlflow", "jupyterhub", "jupyterhub.notebook")


def turns(stacks: int) -> list[int]:
    """The turns of as many starter stacks, each called the same in a namespace of its own."""
    return [turn_of((f"team-{i}", "demo"), identity, EVERY) for i in range(stacks) for identity in IDENTITIES]


def test_a_thousand_stacks_are_spread_over_the_hour() -> None:
    found = turns(1000)
    assert all(0 <= turn < EVERY for turn in found)
    per_second, per_minute = Counter(found), Counter(turn // 60 for turn in found)
    assert max(per_second.values()) <= 8, "0.8 on average"
    assert len(per_minute) == 60
    assert all(20 <= runs <= 90 for runs in per_minute.values()), "50 on average"


def test_a_turn_stays_where_it_is() -> None:
    assert turns(20) == turns(20)
    assert len(set(turns(1))) == len(IDENTITIES), "one stack doesn't try all at once either"
