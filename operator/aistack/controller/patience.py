"""Waiting for a cluster that isn't there yet, for as long as it takes, but no longer than until we are to stop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any


class EndlessBackoff:
    """Pauses between attempts, in seconds, that never run out: kopf exits when they do."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((1, 1, 2, 3, 5, 8), itertools.repeat(10))


async def unless(stopping: asyncio.Event, doing: Coroutine[Any, Any, None]) -> None:
    """Do something, and give it up once ``stopping`` is set."""
    task, stop = asyncio.create_task(doing), asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
