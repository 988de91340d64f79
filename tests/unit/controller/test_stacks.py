"""The operator's memory of AIStacks: never older than what was seen, and never a dead one in a new one's place."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.api.group import FINALIZER
from aistack.cluster.login import Configuration
from aistack.controller.operator import Operator
from aistack.controller.stacks import Stacks, key_of
from aistack.settings import engine_settings
from tests.toy import toy

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


CHANGES: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing": ({}, False),
    "our-own-finalizer": ({"finalizers": [FINALIZER]}, False),
    "another-spec": ({"generation": 2}, True),
    "deleted": ({"generation": 2, "deletionTimestamp": "2030-01-01T00:00:00Z", "finalizers": [FINALIZER]}, True),
    "a-rotation-asked-for": ({"annotations": {"aistack.dev/rotate": "1 web/sql"}}, True),
}


@pytest.mark.parametrize(("change", "again"), CHANGES.values(), ids=CHANGES)
async def test_a_change_that_the_answer_to_our_own_write_tells_first_is_worked_on(
    change: dict[str, Any], again: bool
) -> None:
    settings = engine_settings()
    operator = Operator(Configuration(), toy(), settings)
    before = {**stack(5, generation=1), "status": {"operator": settings.namespace}}
    after = {**stack(7, **{"generation": 1, **change}), "status": before["status"]}

    class Pipeline:
        async def reconcile(self, _: Any) -> Any:
            return after, 0

    pipeline: Any = Pipeline()
    operator._passes._pipeline = pipeline
    operator.seen(before, deleted=False)
    key = await operator.queue._ready.get()  # as a worker does
    operator.queue._waiting.clear()
    await operator._passes.work(key)
    operator.seen({**after, "metadata": {**after["metadata"], "resourceVersion": "6"}}, deleted=False)  # its late event
    assert (len(operator.queue) == 1) is again
