"""kopf's connection to the API server: what is nested too deep for kopf is cut off before it reads it.

One AIStack whose values are nested a thousand levels deep would else end each run of kopf, for all AIStacks.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import kopf

from aistack.cluster.shallow import pruned


class ShallowStream:
    """A response's content of JSON lines, each pruned; all but :meth:`iter_chunked` is as it was.

    Args:
        content: of the response.
    """

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield whole lines."""
        parts: list[bytes] = []
        async for chunk in self._content.iter_chunked(size):
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                yield pruned(b"".join((*parts, line))) + b"\n"
                parts.clear()
            parts.append(rest)
        yield b"".join(parts)


class ShallowResponse(aiohttp.ClientResponse):
    """A response whose JSON is pruned."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the head; the body comes later."""
        await super().start(connection)
        self.content = ShallowStream(self.content)  # type: ignore[assignment]  # it passes on all else
        return self

    async def json(self, **_: Any) -> Any:
        """Read the body."""
        return json.loads(pruned(await self.read()))


def session_of(info: kopf.ConnectionInfo) -> kopf.AiohttpSession:
    """Return a session that logs in like ``info``; kopf closes it."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        proxy=info.proxy_url,
        trust_env=info.trust_env,
        response_class=ShallowResponse,
    )
    return kopf.AiohttpSession(server=info.server, aiohttp_session=session)
