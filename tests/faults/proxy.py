"""A recording reverse proxy between the operator and a real API server, which does one fault to one call."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from tests.cluster.controlplane import ControlPlane
from tests.faults.calls import Call, Counting, Point, parse
from tests.faults.kinds import Act, Fault

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"})
_DROPPED = _HOP | {"accept-encoding"}
_FOREVER = aiohttp.ClientTimeout(total=None)


@dataclass(frozen=True)
class Entry:
    """One call in the record; ``status`` is the server's answer, 0 when the call never reached it."""

    point: Point
    status: int
    at: float
    uid: str = ""
    """Of a deletion: the object that it was for."""

    @property
    def effective(self) -> bool:
        """Whether the server did it."""
        return 200 <= self.status < 300


@dataclass
class Armed:
    """A fault that waits for its call; ``before`` is called first, when it strikes."""

    fault: Fault | None
    point: Point
    before: Callable[[], Awaitable[None]] | None = None
    struck: bool = False


@dataclass
class Proxy:
    """One operator's way to the API server.

    Args:
        upstream: the API server's address.
        session: logged in there.
        namespace: the operator's namespace in this test.
        kill: ends the operator's process at once.
    """

    upstream: str
    session: aiohttp.ClientSession
    namespace: str
    kill: Callable[[], None]
    entries: list[Entry] = field(default_factory=list)
    armed: Armed | None = None
    storm: Callable[[Call], Fault | None] = lambda _: None
    """Chooses a fault for any call."""
    port: int = 0
    last: float = 0.0
    """When the last call that is neither a watch nor a heartbeat began or ended."""
    watched: float = 0.0
    """When the operator last began to watch AIStacks: then it has all that it needs."""
    led: float = 0.0
    """When the operator last got the Lease, or got it renewed."""
    flying: int = 0
    """Calls under way that are neither watches nor heartbeats."""

    def __post_init__(self) -> None:
        self._counting = Counting()

    # ------------------------------------------------------------------ what tests say and ask

    def begin(self, armed: Armed | None = None) -> None:
        """Start to count and to record anew, with a fault to come."""
        self._counting.clear()
        self.entries.clear()
        self.armed, self.last = armed, time.monotonic()

    @property
    def quiet(self) -> float:
        """Seconds since the operator last asked for anything but watches."""
        return 0.0 if self.flying else time.monotonic() - self.last

    def kubeconfig(self, path: Path) -> Path:
        """Write credentials that lead here."""
        cluster = {"name": "x", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}
        context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
        users = [{"name": "x", "user": {}}]
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "x", "clusters": [cluster]}
        path.write_text(yaml.safe_dump({**config, "contexts": [context], "users": users}))
        return path

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        """Listen on a free port of loopback."""
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    # ------------------------------------------------------------------ one call

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = parse(
            request.method, request.path, request.query, request.content_type, self.namespace, _name_in(request, body)
        )
        point = self._counting.place(call)
        fault = await self._strikes(point)
        if call.streams:
            return await self._stream(request, point, fault)
        if call.beats:
            return await self._unary(request, body, point, fault)
        self.flying += 1
        self.last = time.monotonic()
        try:
            return await self._unary(request, body, point, fault)
        finally:
            self.flying -= 1
            self.last = time.monotonic()

    async def _strikes(self, point: Point) -> Fault | None:
        armed = self.armed
        if armed is None or armed.struck or armed.point != point:
            return self.storm(point.call)
        armed.struck = True
        if armed.before:
            await armed.before()
        return armed.fault

    async def _unary(self, request: web.Request, body: bytes, point: Point, fault: Fault | None) -> web.StreamResponse:
        if fault is None or fault.done or fault.act is Act.SLOW:
            # A client that dies doesn't undo what it asked for.
            answer = await asyncio.shield(self._ask(request, body, point))
        else:
            self._note(point, 0)
            answer = web.Response(status=502)
        return answer if fault is None else await self._spoil(request, fault, answer)

    async def _ask(self, request: web.Request, body: bytes, point: Point) -> web.Response:
        try:
            async with self._upstream(request, body) as response:
                content = await response.read()
                self._note(point, response.status, _uid_in(body) if point.call.verb == "delete" else "")
                if point.call.beats and point.call.writes and response.ok:
                    self.led = time.monotonic()
                return web.Response(status=response.status, body=content, headers=_headers(response))
        except (aiohttp.ClientError, ConnectionError) as error:
            self._note(point, 0)
            return web.Response(status=502, text=f"the API server is away: {error}")

    async def _spoil(self, request: web.Request, fault: Fault, answer: web.Response) -> web.StreamResponse:
        match fault.act:
            case Act.KILL:
                self.kill()
                return _hang_up(request)
            case Act.RESET:
                return _hang_up(request)
            case Act.CUT:
                return await _half(request, answer)
            case Act.SLOW:
                await asyncio.sleep(fault.seconds)
                return answer
            case Act.HANG:
                await asyncio.sleep(3600)
        return _false(fault)

    # ------------------------------------------------------------------ one watch

    async def _stream(self, request: web.Request, point: Point, fault: Fault | None) -> web.StreamResponse:
        if fault is not None and fault.act in (Act.KILL, Act.RESET, Act.ANSWER) and not fault.done:
            self._note(point, 0)
            return await self._spoil(request, fault, web.Response())
        try:
            async with self._upstream(request, b"") as response:
                self._note(point, response.status)
                if response.status == 200 and point.call.resource == "aistacks":
                    self.watched = time.monotonic()
                if response.status != 200:
                    return web.Response(status=response.status, body=await response.read(), headers=_headers(response))
                return await self._pass_on(request, response, fault)
        except (aiohttp.ClientError, ConnectionError):
            return _hang_up(request)

    async def _pass_on(
        self, request: web.Request, response: aiohttp.ClientResponse, fault: Fault | None
    ) -> web.StreamResponse:
        stream = web.StreamResponse(headers=_headers(response))
        await stream.prepare(request)
        act = fault.act if fault else None
        if act is Act.KILL:
            self.kill()
            return _hang_up(request)
        if act is Act.END:
            return stream
        if act is Act.EVENT:
            return await _error_event(stream, response, str(fault and fault.body))
        async for chunk in response.content.iter_any():
            if act is Act.MUTE:
                continue
            if act is Act.LAG and fault:
                await asyncio.sleep(fault.seconds)
            await stream.write(chunk)
        return stream

    def _upstream(self, request: web.Request, body: bytes) -> Any:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _DROPPED}
        url = URL(self.upstream + request.raw_path, encoded=True)
        return self.session.request(request.method, url, data=body or None, headers=headers, timeout=_FOREVER)

    def _note(self, point: Point, status: int, uid: str = "") -> None:
        self.entries.append(Entry(point, status, time.monotonic(), uid))


@asynccontextmanager
async def connected(plane: ControlPlane, kubeconfig: Path | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """A session that is logged in at a control plane, as its administrator unless a kubeconfig says otherwise."""
    connector = aiohttp.TCPConnector(limit=0, ssl=_tls(kubeconfig or plane.kubeconfig))
    async with aiohttp.ClientSession(connector=connector, auto_decompress=True, read_bufsize=2**20) as session:
        yield session


def _tls(kubeconfig: Path) -> ssl.SSLContext:
    config = yaml.safe_load(kubeconfig.read_text())
    authority = b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    user, pair = config["users"][0]["user"], kubeconfig.with_suffix(".pem")
    pair.touch(mode=0o600)
    pair.write_bytes(b64decode(user["client-certificate-data"]) + b64decode(user["client-key-data"]))
    context = ssl.create_default_context(cadata=authority)
    context.load_cert_chain(pair)
    return context


def _name_in(request: web.Request, body: bytes) -> str:
    if request.method != "POST" or not body:
        return ""
    try:
        return str(json.loads(body)["metadata"]["name"])
    except (ValueError, KeyError, TypeError):
        return ""


def _uid_in(body: bytes) -> str:
    return str(json.loads(body).get("preconditions", {}).get("uid", "")) if body else ""


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.lower() not in _HOP}


def _hang_up(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request, answer: web.Response) -> web.StreamResponse:
    whole = answer.body if isinstance(answer.body, bytes) else b""
    stream = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    stream.content_length = len(whole)
    await stream.prepare(request)
    await stream.write(whole[: len(whole) // 2])
    await asyncio.sleep(0.01)
    return _hang_up(request)


async def _error_event(stream: web.StreamResponse, response: aiohttp.ClientResponse, event: str) -> web.StreamResponse:
    """Send what comes within a moment, so that the error is met with or without events before it."""
    try:
        async with asyncio.timeout(0.3):
            await stream.write(await response.content.readline())
    except TimeoutError:
        pass
    await stream.write(event.encode() + b"\n")
    return stream


def _false(fault: Fault) -> web.Response:
    kind = "application/json" if fault.body.startswith("{") else "text/plain"
    return web.Response(status=fault.status, text=fault.body, headers=dict(fault.headers), content_type=kind)
