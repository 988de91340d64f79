"""TLS in front of a PostgreSQL that was built without it, as poolers and proxies offer it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trustme

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@contextmanager
def tls_front(port: int, behind: int, certificate: trustme.LeafCert) -> Iterator[None]:
    """Serve TLS on a port of loopback, as PostgreSQL's clients ask for it, and pass on what comes.

    Args:
        port: where to listen.
        behind: port of the server, which gets it in plain text.
        certificate: what to show.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    front = _Front(behind, context)
    serving = asyncio.run_coroutine_threadsafe(asyncio.start_server(front.serve, "127.0.0.1", port), loop)
    serving.result(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


class _Front:
    def __init__(self, behind: int, context: ssl.SSLContext) -> None:
        self._behind, self._context = behind, context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client: TLS or nothing."""
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) == SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._context)
                theirs, ours = await asyncio.open_connection("127.0.0.1", self._behind)
                await asyncio.gather(_pass_on(reader, ours), _pass_on(theirs, writer))
        writer.close()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()
