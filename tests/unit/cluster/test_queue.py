"""The work queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from aistack.cluster.queue import WorkQueue
from aistack.errors import ForbiddenError, NotReadyError

Work = Callable[[str], Awaitable[float]]


@asynccontextmanager
async def running(work: Work, workers: int = 2, limit: float = 0.05) -> AsyncIterator[WorkQueue[str]]:
    queue: WorkQueue[str] = WorkQueue(work, workers, backoff=0.01, backoff_limit=limit)
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for is the queue's own doing, it sets no event
            await asyncio.sleep(0.001)


async def test_a_key_added_often_is_handled_once() -> None:
    handled: list[str] = []

    async def work(key: str) -> float:
        handled.append(key)
        return 0

    queue = WorkQueue(work)
    for key in "aabab":
        queue.add(key)
    assert len(queue) == 2
    task = asyncio.create_task(queue.run())
    await until(lambda: len(handled) == 2)
    task.cancel()

    assert handled == ["a", "b"]


async def test_a_key_is_never_at_two_workers_and_runs_again_when_it_was_added_meanwhile() -> None:
    at_once = most = runs = 0
    release = asyncio.Event()

    async def work(_: str) -> float:
        nonlocal at_once, most, runs
        at_once += 1
        most, runs = max(most, at_once), runs + 1
        await release.wait()
        at_once -= 1
        return 0

    async with running(work) as queue:
        queue.add("a")
        await until(lambda: runs == 1)
        for _ in range(3):
            queue.add("a")
        release.set()
        await until(lambda: runs == 2)
        await asyncio.sleep(0.02)

    assert (most, runs) == (1, 2)


async def test_what_is_not_ready_comes_again_and_later_each_time() -> None:
    times: list[float] = []

    async def work(_: str) -> float:
        times.append(asyncio.get_running_loop().time())
        if len(times) < 4:
            raise NotReadyError("not yet")
        return 0

    async with running(work) as queue:
        queue.add("a")
        await until(lambda: len(times) == 4)
        await asyncio.sleep(0.1)

    pauses = [after - before for before, after in pairwise(times)]
    assert len(times) == 4
    # A busy machine makes pauses longer, never shorter: 0.01 s, doubled each time, less a quarter at most.
    assert all(pause >= 0.0075 * 2**i for i, pause in enumerate(pauses)), pauses


async def test_a_bug_that_one_key_brings_out_stops_no_other() -> None:
    handled: list[str] = []

    async def work(key: str) -> float:
        handled.append(key)
        if key == "bad":
            raise ZeroDivisionError
        return 0

    async with running(work, workers=1) as queue:
        queue.add("bad")
        queue.add("good")
        await until(lambda: handled.count("bad") >= 2)

    assert "good" in handled


async def test_a_key_asks_for_its_next_turn() -> None:
    runs = 0

    async def work(_: str) -> float:
        nonlocal runs
        runs += 1
        return 0.01 if runs == 1 else 0

    async with running(work) as queue:
        queue.add("a")
        await until(lambda: runs == 2)
        await asyncio.sleep(0.05)

    assert runs == 2


async def test_an_earlier_turn_wins_over_a_later_one() -> None:
    runs = 0

    async def work(_: str) -> float:
        nonlocal runs
        runs += 1
        return 0

    async with running(work) as queue:
        queue.add_after("a", 60)
        queue.add_after("a", 0.01)
        queue.add_after("a", 60)
        await until(lambda: runs == 1)


async def test_a_missing_right_is_asked_for_more_often_than_other_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForbiddenError, "patience", 0.02)
    tries: dict[str, int] = {"right": 0, "other": 0}
    errors = {"right": ForbiddenError("no"), "other": NotReadyError("no")}

    async def work(key: str) -> float:
        tries[key] += 1
        raise errors[key]

    async with running(work, limit=10) as queue:
        for key in tries:
            queue.add(key)
        await until(lambda: tries["right"] == 20)

    assert tries["other"] < 10
