"""What may go wrong before a request is sent, and how long a server may make us wait."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from aistack.cluster.transport import LONGEST_WAIT, Request, Server, Transport, _retry_after, way_to
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


@pytest.mark.parametrize(
    ("environment", "proxy", "way"),
    [
        pytest.param({}, None, (None, None), id="none"),
        pytest.param({"HTTPS_PROXY": "http://p:8080"}, None, ("http://p:8080", None), id="of the environment"),
        pytest.param({"HTTP_PROXY": "http://p:8080"}, None, (None, None), id="for another scheme"),
        pytest.param({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "api"}, None, (None, None), id="not for this host"),
        pytest.param({"HTTPS_PROXY": "http://p:8080"}, "http://q", ("http://q", None), id="the kubeconfig's first"),
        pytest.param(
            {"HTTPS_PROXY": "http://u:s@p:8080"},
            None,
            ("http://p:8080", {"Proxy-Authorization": "Basic dTpz"}),
            id="with a login",
        ),
    ],
)
def test_the_way_through_proxies(
    environment: dict[str, str],
    proxy: str | None,
    way: tuple[str | None, dict[str, str] | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = way_to("https://api:6443", proxy)

    assert (str(found["proxy"]) if found else None, found.get("proxy_headers")) == way
