"""The watch on AIStacks: kopf, in a thread and an event loop of its own.

kopf ends on a single error inside a watch, and cancels every task of its loop when it ends. Here that costs one new
list of AIStacks: queue, workers and reflectors live in the main loop, which it can't reach.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import kopf
import structlog

from aistack.controller.handlers import make_registry, make_settings
from aistack.controller.operator import Operator
from aistack.controller.patience import unless

RESTART_PAUSE = 1.0
"""Seconds before kopf is started anew."""
PATIENCE = 4.0
"""Seconds that kopf's loop may take to answer."""

log = structlog.get_logger(__name__)


class StackWatch:
    """Keeps kopf running.

    Args:
        operator: gets the events, in the main loop.
        namespaces: which to watch; none means all.
    """

    def __init__(self, operator: Operator, namespaces: Sequence[str] = ()) -> None:
        self.restarts = 0
        """How often kopf was started anew."""
        self._operator, self._namespaces = operator, list(namespaces)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._served = False

    async def unhealthy(self) -> str:
        """Say whether kopf hangs; that it doesn't run for lack of AIStacks, or starts anew, is no illness."""
        loop = self._loop
        if loop is None:
            return ""
        answered, main = asyncio.Event(), asyncio.get_running_loop()
        try:
            loop.call_soon_threadsafe(main.call_soon_threadsafe, answered.set)
            await asyncio.wait_for(answered.wait(), PATIENCE)
        except RuntimeError:  # it has just ended
            return ""
        except TimeoutError:
            return f"the watch on AIStacks doesn't answer for {PATIENCE:.0f} s"
        return ""

    @property
    def unready(self) -> str:
        """Say why AIStacks aren't seen at present; empty if they are."""
        return "" if self._loop and self._served else "AIStacks are not watched: they are not served, or it starts anew"

    async def run(self, stopping: asyncio.Event) -> None:
        """Watch until ``stopping`` is set."""
        if self._namespaces:
            await unless(stopping, self._until_served())
        while not stopping.is_set():
            await self._run_once(stopping)
            if not stopping.is_set():
                await unless(stopping, self._rest())

    async def _until_served(self) -> None:
        """Wait for AIStacks for as long as it takes: no watch on definitions tells kopf of those that come later."""
        while not await self._operator.is_served():
            log.warning("AIStacks are not served yet: install the definitions (aistack crd | kubectl apply -f -)")
            await self._operator.wait_until_served()

    async def _rest(self) -> None:
        self.restarts += 1
        await asyncio.sleep(RESTART_PAUSE)
        await (self._until_served() if self._namespaces else self._operator.wait_until_served())
        log.info("watching AIStacks again")

    async def _run_once(self, stopping: asyncio.Event) -> None:
        """Run kopf until it ends, must be started anew, or ``stopping`` is set."""
        end, served = threading.Event(), await self._operator.is_served()
        running = asyncio.create_task(asyncio.to_thread(self._kopf, end, asyncio.get_running_loop(), served))
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        end.set()
        try:
            await running
        except Exception:
            # Whatever ended kopf, the operator goes on and starts it anew.
            log.exception("the watch on AIStacks failed")

    def _kopf(self, end: threading.Event, main: asyncio.AbstractEventLoop, served: bool) -> None:
        try:
            asyncio.run(self._run_kopf(end, main, served))
        finally:
            self._loop = None

    async def _run_kopf(self, end: threading.Event, main: asyncio.AbstractEventLoop, served: bool) -> None:
        clusterwide = not self._namespaces
        self._loop, self._served = asyncio.get_running_loop(), served
        try:
            await kopf.operator(
                registry=make_registry(self._operator, main, end, served, clusterwide),
                settings=make_settings(clusterwide),
                clusterwide=clusterwide,
                namespaces=self._namespaces,
                standalone=True,
                stop_flag=end,
            )
        finally:
            # kopf waits for the flag in a thread, and the end of this loop for that thread: for ever, if kopf failed.
            end.set()
