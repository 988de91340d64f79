"""The operator's memory of AIStacks: never older than what was seen, and never a dead one in a new one's place."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.controller.operator import Stacks, key_of

KEY = ("ml", "demo")


def stack(version: int, uid: str = "one", **more: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "ml", "name": "demo", "uid": uid, "resourceVersion": str(version), **more}}


NEWS = {
    "first": ([], 5, True),
    "newer": ([5], 6, True),
    "the-same-again": ([5], 5, False),
    "older": ([5], 4, False),
    "older-in-letters-though-not-in-numbers": ([9], 10, True),
    "an-answer-to-our-write-and-then-its-late-event": ([5, 8], 7, False),
}


@pytest.mark.parametrize(("seen", "version", "news"), NEWS.values(), ids=NEWS)
def test_only_newer_states_are_news(seen: list[int], version: int, news: bool) -> None:
    stacks = Stacks()
    for each in seen:
        stacks.see(stack(each))
    assert stacks.see(stack(version)) is news
    known = stacks.get(KEY)
    assert known is not None
    assert known["metadata"]["resourceVersion"] == str(max([*seen, version]))


def test_a_stack_that_is_gone_is_forgotten() -> None:
    stacks = Stacks()
    stacks.see(stack(5))
    stacks.forget(stack(6))
    assert stacks.get(KEY) is None
    assert len(stacks) == 0
    stacks.forget(stack(6))


def test_a_stack_made_again_meanwhile_is_not_forgotten_with_the_old_one() -> None:
    stacks = Stacks()
    stacks.see(stack(5))
    stacks.see(stack(9, uid="two"))
    stacks.forget(stack(7))
    assert stacks.get(KEY) == stack(9, uid="two")


def test_keys() -> None:
    assert key_of(stack(1)) == KEY
