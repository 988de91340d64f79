"""A TCP relay from the host's loopback into a network namespace; run as a program, needs nothing but Python.

The listening sockets are made while the process is still in the host's namespace; then the process moves into the other
one for good, so that every connection it opens starts there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import socket

_CLONE_NEWNET = 0x40000000
_CHUNK = 1 << 16


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the reader's side ends, then end the writer's side too."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def serve(server: socket.socket, target: tuple[str, int]) -> None:
    """Relay every connection that a listening socket accepts to an address, until cancelled."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        for end in (far_writer, writer):
            end.close()

    async with await asyncio.start_server(connection, sock=server) as relay:
        await relay.serve_forever()


def _enter(namespace: str) -> None:
    """Move this process into a network namespace (os.setns is newer than the oldest Python supported)."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    if libc.setns(handle, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(handle)


async def _run(routes: list[tuple[socket.socket, tuple[str, int]]]) -> None:
    await asyncio.gather(*(serve(server, target) for server, target in routes))


def route(text: str) -> tuple[int, tuple[str, int]]:
    """Read `PORT=HOST:PORT`: a port of the host's loopback and an address inside."""
    port, _, target = text.partition("=")
    host, _, far_port = target.rpartition(":")
    return int(port), (host, int(far_port))


def main() -> None:
    """Listen, move, relay until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("namespace", help="file of the network namespace")
    parser.add_argument("routes", nargs="+", type=route, metavar="PORT=HOST:PORT")
    options = parser.parse_args()
    routes = [(socket.create_server(("127.0.0.1", port), backlog=128), target) for port, target in options.routes]
    _enter(options.namespace)
    asyncio.run(_run(routes))


if __name__ == "__main__":
    main()
