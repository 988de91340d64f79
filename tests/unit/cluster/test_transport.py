"""What may go wrong before a request is sent, and how long a server may make us wait."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from aistack.cluster.transport import LONGEST_WAIT, Request, Server, Transport, _retry_after
from aistack.errors import ClusterError


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(KeyError("token"), id="a plugin that answers nonsense"),
        pytest.param(FileNotFoundError("no-such-plugin"), id="a plugin that isn't there"),
    ],
)
async def test_credentials_that_cannot_be_had_are_an_error_like_any_other(error: Exception) -> None:
    async def credentials() -> Mapping[str, str]:
        raise error

    server = Server("http://127.0.0.1:9", ssl.create_default_context(), credentials, "test")
    transport, request = Transport(server, 1), Request("GET", "/api", "get", "try")
    with pytest.raises(ClusterError, match="log in at the API server: "):
        await transport.send(request)
    with pytest.raises(ClusterError, match="log in at the API server: "):
        async with transport.stream(request, 1):
            pass
    with pytest.raises(ClusterError, match="log in at the API server: "):
        async with transport.websocket(request, "p"):
            pass
    await transport.close()


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        pytest.param(429, "2", 2, id="asked to wait"),
        pytest.param(503, "86400", LONGEST_WAIT, id="never for a day"),
        pytest.param(429, "Wed, 21 Oct 2026 07:28:00 GMT", 0, id="a date"),
        pytest.param(500, "2", 0, id="no such request"),
    ],
)
def test_the_wait_that_a_server_asks_for(status: int, header: str, seconds: float) -> None:
    response: Any = SimpleNamespace(status=status, headers={"Retry-After": header})

    assert _retry_after(response) == seconds
