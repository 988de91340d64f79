"""Requests and streams over HTTP: orjson, a limit on requests in flight, Retry-After honoured, errors in words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from aistack.cluster.replies import Reply
from aistack.cluster.shallow import loads
from aistack.errors import ClusterError, ForbiddenError
from aistack.ways import way_to

JSON = "application/json"
ATTEMPTS = 5
"""How often a request is sent that the server turns away with Retry-After."""
TIMEOUT = aiohttp.ClientTimeout(total=60)
LONGEST_WAIT = 30.0
"""Seconds that a server may make us wait before the same request is sent again."""
NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True)
class Server:
    """Where the API server is and how to talk to it."""

    url: str
    tls: ssl.SSLContext
    credentials: Callable[[], Awaitable[Mapping[str, str]]]
    """Gives fresh request headers that log in."""
    agent: str
    proxy: str | None = None
    tls_name: str | None = None


@dataclass(frozen=True)
class Request:
    """What to send; ``verb`` is Kubernetes' word for it, as in RBAC rules, ``tried`` says it in words."""

    method: str
    path: str
    verb: str
    tried: str
    kind: str = ""
    query: Mapping[str, str] | None = None
    body: object = None
    content_type: str = JSON
    accept: str = JSON
    user: str = ""
    """As whom it is sent; empty for whoever is logged in."""
    text: bool = False
    """Whether a good answer is text and no object, e.g. a log."""


@dataclass(frozen=True)
class Call:
    """One request, told to hooks before it is sent (``status`` 0), and after its answer or where none came (-1)."""

    verb: str
    kind: str
    path: str
    status: int = 0
    user: str = ""
    """As whom it was sent, where not as whoever is logged in."""


Hook = Callable[[Call], None]
Fence = Callable[[], None]
NO_ANSWER = -1
"""The ``status`` of a call whose answer never came."""


class Transport:
    """Sends requests.

    Args:
        server: the API server.
        in_flight: most requests at a time; watches don't count.
    """

    def __init__(self, server: Server, in_flight: int) -> None:
        self.hooks: list[Hook] = []
        self.fence: Fence = lambda: None
        """Asked right before each request that could change something; raises where it must not be sent."""
        self._server = server
        self._slots = asyncio.Semaphore(in_flight)
        self._session: aiohttp.ClientSession | None = None
        self._way = way_to(server.url, server.proxy)

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()

    async def send(self, request: Request) -> Reply:
        """Send a request, again when the server asks to come later.

        Raises:
            ClusterError: no answer came.
        """
        for attempt in range(1, ATTEMPTS + 1):
            reply = await self._send_once(request)
            if not reply.retry_after or attempt == ATTEMPTS:
                break
            await asyncio.sleep(reply.retry_after)
        return reply

    @asynccontextmanager
    async def stream(self, request: Request, silence: float) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Open a watch; its events end quietly when the server ends it.

        Raises:
            ClusterError: it is refused or breaks, or nothing came for ``silence`` seconds.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=silence)
        self._tell(request, 0)
        try:
            async with await self._open(request, limits) as response:
                self._tell(request, response.status)
                if response.status != 200:
                    raise (await _read(response, request.tried)).error()
                yield _events(response, request.tried)
        except NETWORK_ERRORS as error:
            raise ClusterError(f"{request.tried}: {_words(error)}") from error

    @asynccontextmanager
    async def websocket(self, request: Request, protocol: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a websocket that speaks ``protocol``.

        Raises:
            ClusterError: it is refused or breaks.
        """
        self._tell(request, 0)
        try:
            async with self._connected().ws_connect(
                self._server.url + request.path,
                params=request.query,
                protocols=(protocol,),
                headers=await self._headers(request),
                **self._way,
                server_hostname=self._server.tls_name,
                max_msg_size=0,
            ) as socket:
                self._tell(request, 101)
                yield socket
        except aiohttp.WSServerHandshakeError as error:
            kind = ForbiddenError if error.status in (401, 403) else ClusterError
            raise kind(f"{request.tried}: HTTP {error.status}", error.status) from error
        except NETWORK_ERRORS as error:
            raise ClusterError(f"{request.tried}: {_words(error)}") from error

    async def _send_once(self, request: Request) -> Reply:
        async with self._slots:
            self._tell(request, 0)
            try:
                async with await self._open(request, TIMEOUT) as response:
                    reply = await _read(response, request.tried, request.text)
            except NETWORK_ERRORS as error:
                self._tell(request, NO_ANSWER)
                raise ClusterError(f"{request.tried}: no answer: {_words(error)}") from error
            self._tell(request, reply.status)
            return reply

    async def _open(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        headers = {"Accept": request.accept, **await self._headers(request)}
        data = None
        if request.body is not None:
            headers["Content-Type"], data = request.content_type, orjson.dumps(request.body)
        if request.method != "GET":
            self.fence()
        return await self._connected().request(
            request.method,
            self._server.url + request.path,
            params=request.query,
            data=data,
            headers=headers,
            timeout=limits,
            **self._way,
            server_hostname=self._server.tls_name,
        )

    async def _headers(self, request: Request) -> dict[str, str]:
        acting = {"Impersonate-User": request.user} if request.user else {}
        return {"User-Agent": self._server.agent, **await self._login(), **acting}

    async def _login(self) -> Mapping[str, str]:
        try:
            return await self._server.credentials()
        except Exception as error:
            # Users' plugins and files make them: anything may come.
            raise ClusterError(f"log in at the API server: {_words(error)}") from error

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._server.tls)
            self._session = aiohttp.ClientSession(connector=connector, read_bufsize=2**20)
        return self._session

    def _tell(self, request: Request, status: int) -> None:
        for hook in self.hooks:
            hook(Call(request.verb, request.kind, request.path, status, request.user))


async def _read(response: aiohttp.ClientResponse, tried: str, text: bool = False) -> Reply:
    raw = await response.read()
    try:
        body = None if text and response.ok else loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):  # a log, or a proxy's words
        words = raw.decode(errors="replace")
        body = {"text": words, "message": words[:200]}
    return Reply(response.status, body, tried, _retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float:
    header = response.headers.get("Retry-After", "")
    return min(float(header), LONGEST_WAIT) if response.status in (429, 503) and header.isdecimal() else 0.0


async def _events(response: aiohttp.ClientResponse, tried: str) -> AsyncIterator[dict[str, Any]]:
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in filter(None, lines):
            event = _event(line, tried)
            if event["type"] == "ERROR":
                raise _stream_error(event["object"], tried)
            yield event


def _event(line: bytes, tried: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = loads(line)
    except orjson.JSONDecodeError as error:
        raise ClusterError(f"{tried}: the stream is garbled: {error}") from error
    return event


def _stream_error(status: Mapping[str, Any], tried: str) -> ClusterError:
    code = int(status.get("code") or 500)
    kind = ForbiddenError if code in (401, 403) else ClusterError
    return kind(f"{tried}: {status.get('message', 'the watch failed')}", code, str(status.get("reason", "")))


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
