"""TLS in front of servers that speak plain text, as poolers and proxies offer it; and a server that says nothing."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import trustme

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Change = Callable[[bytes], bytes]
ENDS = (OSError, asyncio.CancelledError)
"""How a connection may end."""


@contextmanager
def tls_front(port: int, behind: int, certificate: trustme.LeafCert, *, asked: bool = True) -> Iterator[None]:
    """Serve TLS on a port of loopback, and pass on what comes.

    Args:
        port: where to listen.
        behind: port of the server, which gets it in plain text.
        certificate: what to show.
        asked: whether clients ask for TLS first, as PostgreSQL's do; others begin with it.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    front = _Front(behind, context)
    with served(port, front.when_asked if asked else front.serve, None if asked else context):
        yield


@contextmanager
def silent(port: int) -> Iterator[None]:
    """Take connections on a port of loopback, and never answer: a server that hangs."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*ENDS):
            while await reader.read(65536):
                pass
        writer.close()

    with served(port, listen):
        yield


@contextmanager
def served(port: int, answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[None]:
    """Have a port of loopback answered, with TLS where there is a context."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = asyncio.run_coroutine_threadsafe(asyncio.start_server(answer, "127.0.0.1", port, ssl=context), loop)
    server = serving.result(10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _end(server: asyncio.Server) -> None:
    """Listen no longer, and end connections that clients left open."""
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Front:
    def __init__(self, behind: int, context: ssl.SSLContext) -> None:
        self._behind, self._context = behind, context

    async def when_asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client that asks for TLS first; others get nothing."""
        with suppress(*ENDS, asyncio.IncompleteReadError):
            if await reader.readexactly(8) == SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._context)
                await self.serve(reader, writer)
        writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client that speaks TLS already."""
        with suppress(*ENDS):
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._behind)
            await asyncio.gather(pass_on(reader, ours), pass_on(theirs, writer))
        writer.close()


async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, change: Change = bytes) -> None:
    """Write what comes, changed, until its end."""
    with suppress(*ENDS):
        while data := await source.read(65536):
            target.write(change(data))
            await target.drain()
    target.close()
