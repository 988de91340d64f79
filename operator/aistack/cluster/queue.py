"""A keyed work queue: no key twice, no key at two workers, and what failed comes again later."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from aistack.errors import NotReadyError

Key = TypeVar("Key", bound=Hashable)

log = structlog.get_logger(__name__)


class WorkQueue(Generic[Key]):
    """Runs ``work`` once for each added key, first come, first served.

    A key that is added while it is being worked on runs once more afterwards (the dirty flag), however often it was
    added. A key waits at one place only, so a busy owner can't starve others.

    Args:
        work: handles one key; returns the seconds after which it wants to run again, 0 for "when something changes".
        workers: keys handled at the same time.
        backoff: first pause after a failure, in seconds; doubled with each further one.
        backoff_limit: longest pause, in seconds.
        fields: what a key is called in logs; every line that is written while it is worked on has it.
    """

    def __init__(
        self,
        work: Callable[[Key], Awaitable[float]],
        workers: int = 4,
        backoff: float = 0.5,
        backoff_limit: float = 300.0,
        fields: Callable[[Key], Mapping[str, str]] = lambda key: {"key": str(key)},
    ) -> None:
        self._work, self._workers, self._fields = work, workers, fields
        self._backoff, self._backoff_limit = backoff, backoff_limit
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: dict[Key, float] = {}
        self._running: dict[Key, float] = {}
        """Since when, by the loop's clock."""
        self._dirty: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}

    def add(self, key: Key) -> None:
        """Have a key handled as soon as a worker is free."""
        self._cancel_timer(key)
        if key in self._running:
            self._dirty.add(key)
        elif key not in self._waiting:
            self._waiting[key] = _now()
            self._ready.put_nowait(key)

    def add_after(self, key: Key, delay: float) -> None:
        """Have a key handled in ``delay`` seconds, or earlier if something adds it or asks for less."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is None or timer.when() > loop.time() + delay:
            self._cancel_timer(key)
            self._timers[key] = loop.call_later(delay, self.add, key)

    def __len__(self) -> int:
        """Keys that wait for a worker."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Keys that are worked on."""
        return len(self._running)

    @property
    def oldest(self) -> float:
        """Seconds that the key which came first waits already."""
        return _age(self._waiting)

    @property
    def longest(self) -> float:
        """Seconds that the key which was taken first is worked on already."""
        return _age(self._running)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._worker())
        finally:
            for key in list(self._timers):
                self._cancel_timer(key)

    async def _worker(self) -> None:
        while True:
            key = await self._ready.get()
            self._waiting.pop(key, None)
            self._running[key] = _now()
            try:
                with bound_contextvars(**self._fields(key)):
                    await self._handle(key)
            finally:
                self._running.pop(key, None)
            if key in self._dirty:
                self._dirty.discard(key)
                self.add(key)

    async def _handle(self, key: Key) -> None:
        try:
            delay = await self._work(key)
        except NotReadyError as error:
            log.warning("not ready, comes again", error=str(error))
            self.add_after(key, self._next_pause(key, error.patience))
        except Exception:
            # The boundary between owners: a bug that one owner's object brings out must not stop all the others.
            log.exception("unexpected error, comes again")
            self.add_after(key, self._next_pause(key))
        else:
            self._failures.pop(key, None)
            if delay > 0:
                self.add_after(key, delay)

    def _next_pause(self, key: Key, patience: float = math.inf) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        pause = min(self._backoff * 2.0 ** min(failures - 1, 16), self._backoff_limit, patience)
        return pause * random.uniform(0.75, 1.25)  # noqa: S311 - not for cryptography

    def _cancel_timer(self, key: Key) -> None:
        timer = self._timers.pop(key, None)
        if timer:
            timer.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _age(since: Mapping[Any, float]) -> float:
    return _now() - min(since.values()) if since else 0.0
