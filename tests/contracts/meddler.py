"""A proxy that meddles: what servers do that are broken in ways that no setting of theirs brings about."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.contracts.tls_front import ENDS, Change, pass_on, served

_REQUEST = re.compile(rb"[A-Z]+ /[^ ]* HTTP/1[.][01]\r\n")
_LOGIN = re.compile(rb"(?i)authorization:[^\r]*\r\n")


@contextmanager
def meddler(port: int, behind: int, asked: Change = bytes, answered: Change = bytes) -> Iterator[None]:
    """Pass on what comes at a port of loopback, changed.

    Args:
        port: where to listen.
        behind: port of the server.
        asked: changes what clients send.
        answered: changes what the server sends.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*ENDS):
            theirs, ours = await asyncio.open_connection("127.0.0.1", behind)
            await asyncio.gather(pass_on(reader, ours, asked), pass_on(theirs, writer, answered))
        writer.close()

    with served(port, serve):
        yield


def instead(old: bytes, new: bytes) -> Change:
    """Return what writes other bytes."""
    return lambda data: data.replace(old, new)


def logging_in(login: bytes, *, everybody: bool) -> Change:
    """Return what gives HTTP requests another login, as a proxy does that was set up wrong.

    Args:
        login: the header's value.
        everybody: whether those get one, too, who bring none.
    """

    def change(data: bytes) -> bytes:
        first = _REQUEST.match(data)
        if first is None or not (everybody or _LOGIN.search(data)):
            return data
        return first[0] + b"Authorization: " + login + b"\r\n" + _LOGIN.sub(b"", data[first.end() :], count=1)

    return change
