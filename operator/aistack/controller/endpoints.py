"""What the operator answers over HTTP: /healthz, /readyz and /metrics, from the loop that all its work runs in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Self

import structlog
from aiohttp import web

from aistack.errors import InvalidError

Check = Callable[[], Awaitable[str]]
"""Says what is wrong; empty if nothing is."""

log = structlog.get_logger(__name__)


class Endpoints:
    """The server; it answers while the event loop lives, which is the first thing that a probe asks.

    Args:
        listen: address and port, e.g. ``10.0.0.7:8080`` or ``fd00::7:8080``; empty for no server.
        healthy: why the process must be started anew.
        ready: why it can't do its part yet.
        metrics: what Prometheus reads, and its content type.
    """

    def __init__(self, listen: str, healthy: Check, ready: Check, metrics: Callable[[], tuple[bytes, str]]) -> None:
        self._listen, self._metrics = listen, metrics
        self._told: dict[str, str] = {}
        app = web.Application()
        app.router.add_get("/healthz", self._answer("healthz", healthy))
        app.router.add_get("/readyz", self._answer("readyz", ready))
        app.router.add_get("/metrics", self._show)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def __aenter__(self) -> Self:
        """Start to listen.

        Raises:
            InvalidError: that address can't be listened at.
        """
        if self._listen:
            host, port = split_address(self._listen)
            await self._runner.setup()
            try:
                await web.TCPSite(self._runner, host, port).start()
            except OSError as error:
                raise InvalidError(f"can't listen at {self._listen}: {error}; give another address and port") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def _answer(self, name: str, check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            problem = await check()
            if problem != self._told.get(name, ""):
                log.info(f"{name} changed", problem=problem)
            self._told[name] = problem
            return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

        return answer

    async def _show(self, _: web.Request) -> web.Response:
        body, content_type = self._metrics()
        return web.Response(body=body, headers={"Content-Type": content_type})


def split_address(listen: str) -> tuple[str, int]:
    """Return the host and the port of an address, of either family.

    Raises:
        InvalidError: it is none.
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise InvalidError(f"--listen: {listen!r} is no address with a port; write e.g. 10.0.0.7:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)
