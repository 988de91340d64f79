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

log = structlog.get_logger(__name__)


class StackWatch:
    """Keeps kopf running.

    Args:
        operator: gets the events, in the main loop.
        namespaces: which to watch; none means all.
        liveness: address and port of the liveness probe, e.g. ``10.0.0.7:8080`` or ``fd00::7:8080``; empty for none.
    """

    def __init__(self, operator: Operator, namespaces: Sequence[str] = (), liveness: str = "") -> None:
        self._operator, self._namespaces, self._liveness = operator, list(namespaces), liveness

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
        asyncio.run(self._operate(end, main, served))

    async def _operate(self, end: threading.Event, main: asyncio.AbstractEventLoop, served: bool) -> None:
        clusterwide = not self._namespaces
        try:
            await kopf.operator(
                registry=make_registry(self._operator, main, end, served, clusterwide),
                settings=make_settings(clusterwide),
                clusterwide=clusterwide,
                namespaces=self._namespaces,
                standalone=True,
                liveness_endpoint=probe_url(self._liveness),
                stop_flag=end,
            )
        finally:
            # kopf waits for the flag in a thread, and the end of this loop for that thread: for ever, if kopf failed.
            end.set()


def probe_url(liveness: str) -> str | None:
    """Return where kopf is to answer the probe; None if nowhere."""
    host, _, port = liveness.rpartition(":")
    if not host:
        return None
    return f"http://[{host}]:{port}/healthz" if ":" in host else f"http://{host}:{port}/healthz"
