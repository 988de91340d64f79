"""The relay's connections, without a namespace."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.cluster.docker import relay


async def echo_until_eof(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer only once the other side has ended its own: shows that ends travel one way at a time."""
    received = await reader.read()
    writer.write(received.upper())
    await writer.drain()
    writer.close()


async def ask(port: int, message: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(message)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_bytes_and_ends_travel_both_ways_on_many_connections() -> None:
    far = await asyncio.start_server(echo_until_eof, "127.0.0.1", 0)
    near = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(relay.serve(near, far.sockets[0].getsockname()))
    messages = [bytes([letter]) * 200_000 for letter in b"abcde"]
    answers = await asyncio.gather(*(ask(near.getsockname()[1], message) for message in messages))
    assert answers == [message.upper() for message in messages]
    task.cancel()
    far.close()


async def test_a_connection_to_nobody_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nobody = unused.getsockname()
    near = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(relay.serve(near, nobody))
    assert await ask(near.getsockname()[1], b"") == b""
    task.cancel()


def test_a_route_is_a_port_and_an_address() -> None:
    assert relay.route("8080=172.18.0.2:30080") == (8080, ("172.18.0.2", 30080))


@pytest.mark.parametrize("text", ["8080", "x=127.0.0.1:1", "8080=127.0.0.1"])
def test_a_broken_route_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        relay.route(text)
