"""A registry of artifacts inside the test, which can be told to lie, to ask for a login, and to say nothing.

What a real registry does is tried against a real one, in tests/integration.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from aistack.objects.artifact import digest_of

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeRegistry:
    """Keeps what is pushed; ``lies`` answers paths otherwise."""

    host: str = ""
    login: str = ""
    """``name:password`` that opens it."""
    tokens: bool = False
    """Whether it asks for a token instead of the password itself."""
    expire_after: int = 10**6
    """How many requests a token opens."""
    used: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    lies: dict[str, Answer] = field(default_factory=dict)
    """By the end of a path."""
    asked: list[str] = field(default_factory=list)
    """Requests so far: method and path."""

    def reference(self, name: str = "hello:1.0") -> str:
        return f"{self.host}/{name}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        for ending, lie in self.lies.items():
            if request.path.endswith(ending):
                return await lie(request)
        if request.path == "/token":
            return self._token(request)
        if not self._opened(request):
            words = f'Bearer realm="http://{self.host}/token",service="fake"' if self.tokens else 'Basic realm="fake"'
            return web.json_response(
                {"errors": [{"message": "login needed"}]}, status=401, headers={"WWW-Authenticate": words}
            )
        *_, kind, name = request.path.split("/")
        known = self.manifests if kind == "manifests" else self.blobs
        match request.method, kind:
            case "GET" | "HEAD", "manifests" | "blobs":
                return web.Response(body=known[name]) if name in known else _refusal(404, "unknown")
            case "POST", _:
                return web.Response(status=202, headers={"Location": request.path + "session?state=1"})
            case "PUT", "uploads":
                self.blobs[request.query["digest"]] = await request.read()
                return web.Response(status=201)
        content = await request.read()
        self.manifests[name] = self.manifests[digest_of(content)] = content
        return web.Response(status=201)

    def _token(self, request: web.Request) -> web.Response:
        if self.login and request.headers.get("Authorization") != _basic(self.login):
            return _refusal(401, "wrong password")
        self.used = 0
        return web.json_response({"token": f"for {request.query['scope']}"})

    def _opened(self, request: web.Request) -> bool:
        if not self.login and not self.tokens:
            return True
        self.used += 1
        if self.tokens and self.used > self.expire_after:
            return False
        wanted = "Bearer for repository:" if self.tokens else _basic(self.login)
        return request.headers.get("Authorization", "").startswith(wanted)


async def endless(request: web.Request) -> web.StreamResponse:
    """Send zeros for as long as somebody reads."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(2**16))


async def dripping(request: web.Request) -> web.StreamResponse:
    """Send a byte now and then."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"{")
        await asyncio.sleep(0.05)


async def silent(_: web.Request) -> web.StreamResponse:
    """Say nothing."""
    await asyncio.sleep(60)
    return web.Response()


def says(body: bytes, status: int = 200) -> Answer:
    """Answer the same whatever is asked."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status)

    return answer


@asynccontextmanager
async def fake_registry(tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> AsyncIterator[FakeRegistry]:
    """Serve one on loopback."""
    registry = FakeRegistry()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{rest:.*}", registry.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, address, 0, ssl_context=tls)
    await site.start()
    registry.host = f"{address}:{runner.addresses[0][1]}"
    try:
        yield registry
    finally:
        await runner.cleanup()


@contextmanager
def fake_registry_beside() -> Iterator[FakeRegistry]:
    """Serve one from a thread, for tests that wait for other processes."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    found: list[FakeRegistry] = []
    stopping = asyncio.Event()

    async def serve() -> None:
        async with fake_registry() as registry:
            found.append(registry)
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert started.wait(30)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


def _basic(login: str) -> str:
    return f"Basic {b64encode(login.encode()).decode()}"


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"errors": [{"message": message}]}, status=status)
