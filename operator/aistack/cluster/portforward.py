"""Port-forward: a port of loopback that leads to a pod's port, through the API server.

Speaks the kubelet's ``v4.channel.k8s.io`` over a websocket of its own for each connection: the first byte of a message
is the channel (0 data, 1 errors), and each channel's first message holds the port.
Source: k8s.io/kubelet ``pkg/cri/streaming/portforward/websocket.go``.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress

import aiohttp

from aistack.cluster.client import Client
from aistack.errors import AIStackError, ClusterError, InvalidError
from aistack.objects.manifest import ObjectRef

PROTOCOL = "v4.channel.k8s.io"
DATA, ERRORS = b"\0", 1
CHUNK = 2**16
LOOPBACK = "127.0.0.1"

FindPod = Callable[[], Awaitable[ObjectRef]]
"""Finds the pod to connect to; asked for each connection, as pods come and go."""
OnError = Callable[[AIStackError], None]
Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


@asynccontextmanager
async def port_forward(
    client: Client, find_pod: FindPod, port: int, local: int, on_error: OnError
) -> AsyncIterator[int]:
    """Listen on loopback and connect whoever comes to a pod.

    Args:
        client: connection to the API server.
        find_pod: finds the pod.
        port: the pod's port.
        local: port to listen on, 0 for any.
        on_error: told what broke a connection; others go on.

    Yields:
        The port listened on.

    Raises:
        InvalidError: the local port is taken.
    """
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _connect(client, await find_pod(), port, reader, writer)
        except AIStackError as error:
            on_error(error)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await _listen(accept, local)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await _end(connections.copy())


async def _listen(accept: Accept, local: int) -> asyncio.Server:
    try:
        return await asyncio.start_server(accept, LOOPBACK, local)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise InvalidError(f"port {local} of this machine can't be used: {error.strerror}; choose another") from None


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """End connections that browsers keep open, instead of waiting for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def free_port(preferred: int) -> int:
    """Return a port of loopback if it is free, else 0, which means any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, preferred))
        except OSError:
            return 0
    return preferred


async def _connect(
    client: Client, pod: ObjectRef, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Copy in both directions until either side ends."""
    async with await client.websocket(pod, "portforward", PROTOCOL, ports=str(port)) as channels:
        ways = [asyncio.create_task(_up(reader, channels)), asyncio.create_task(_down(channels, writer))]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end(ways)


async def _up(reader: asyncio.StreamReader, channels: aiohttp.ClientWebSocketResponse) -> None:
    with suppress(ConnectionError):  # the browser went away
        while data := await reader.read(CHUNK):
            await channels.send_bytes(DATA + data)


async def _down(channels: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
    greeted: set[int] = set()
    with suppress(ConnectionError):
        async for message in channels:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, payload = message.data[0], message.data[1:]
            if channel not in greeted:
                greeted.add(channel)
            elif channel == ERRORS and payload:
                raise ClusterError(f"port-forward: {payload.decode(errors='replace').strip()}")
            elif payload:
                writer.write(payload)
                await writer.drain()
