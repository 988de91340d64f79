"""Port-forward against a server that speaks the kubelet's side of ``v4.channel.k8s.io``."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from aistack.cluster.client import Client
from aistack.cluster.portforward import LOOPBACK, PROTOCOL, free_port, port_forward
from aistack.errors import AIStackError, ClusterError, InvalidError, NotReadyError
from aistack.objects.manifest import ObjectRef

POD = ObjectRef("v1", "Pod", "ml", "web-0")
PORT = 5000
PODS = {
    "resource": "pods",
    "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
    "scope": "Namespaced",
}


@dataclass
class Kubelet:
    """Answers each message in capitals; ``refuse`` sends an error on the error channel instead."""

    refuse: str = ""
    status: int = 101
    ports: list[str] = field(default_factory=list)

    async def forward(self, request: web.Request) -> web.StreamResponse:
        if self.status != 101:
            return web.Response(status=self.status)
        self.ports.append(request.query["ports"])
        channels = web.WebSocketResponse(protocols=(PROTOCOL,))
        await channels.prepare(request)
        for channel in (b"\0", b"\1"):
            await channels.send_bytes(channel + struct.pack("<H", PORT))
        if self.refuse:
            await channels.send_bytes(b"\1" + self.refuse.encode())
        async for message in channels:
            if message.type is WSMsgType.BINARY and message.data[:1] == b"\0":
                await channels.send_bytes(b"\0" + message.data[1:].upper())
        return channels


async def discovery(_: web.Request) -> web.Response:
    versions = [{"version": "v1", "resources": [PODS]}]
    return web.json_response({"items": [{"metadata": {}, "versions": versions}]})


async def no_groups(_: web.Request) -> web.Response:
    return web.json_response({"items": []})


@pytest.fixture
def kubelet() -> Kubelet:
    return Kubelet()


@pytest.fixture
async def client(kubelet: Kubelet, tmp_path: Path) -> AsyncIterator[Client]:
    """A client of an API server that knows pods."""
    app = web.Application()
    app.router.add_get("/api", discovery)
    app.router.add_get("/apis", no_groups)
    app.router.add_get("/api/v1/namespaces/ml/pods/web-0/portforward", kubelet.forward)
    async with TestServer(app) as server:
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": str(server.make_url("/")).rstrip("/")}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        async with await Client.connect("test", str(tmp_path / "kubeconfig")) as client:
            yield client


async def find_pod() -> ObjectRef:
    return POD


async def talk(port: int, *words: bytes) -> list[bytes]:
    """Send words over one connection and return the answers; an empty one when the other side hung up."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    answers = []
    for word in words:
        try:
            writer.write(word)
            await writer.drain()
            answers.append(await asyncio.wait_for(reader.read(100), 5))
        except ConnectionError:
            answers.append(b"")
    writer.close()
    return answers


async def test_bytes_go_to_the_pod_and_back(client: Client, kubelet: Kubelet) -> None:
    errors: list[AIStackError] = []
    async with port_forward(client, find_pod, PORT, 0, errors.append) as port:
        assert await talk(port, b"hello", b"again") == [b"HELLO", b"AGAIN"]
        assert await asyncio.gather(talk(port, b"a"), talk(port, b"b")) == [[b"A"], [b"B"]]
    assert errors == []
    assert kubelet.ports == [str(PORT)] * 3


async def test_what_the_kubelet_says_is_told_and_others_go_on(client: Client, kubelet: Kubelet) -> None:
    kubelet.refuse = "connection refused"
    errors: list[AIStackError] = []
    async with port_forward(client, find_pod, PORT, 0, errors.append) as port:
        assert await talk(port, b"hello") == [b""]
        kubelet.refuse = ""
        assert await talk(port, b"hello") == [b"HELLO"]
    assert [str(error) for error in errors] == ["port-forward: connection refused"]


@pytest.mark.parametrize("status", [403, 500])
async def test_a_refused_websocket_is_told(client: Client, kubelet: Kubelet, status: int) -> None:
    kubelet.status = status
    errors: list[AIStackError] = []
    async with port_forward(client, find_pod, PORT, 0, errors.append) as port:
        assert await talk(port, b"hello") == [b""]
    assert [error.status for error in errors if isinstance(error, ClusterError)] == [status]


async def test_a_pod_that_went_away_is_told(client: Client) -> None:
    async def nowhere() -> ObjectRef:
        raise NotReadyError("no pod is ready")

    errors: list[AIStackError] = []
    async with port_forward(client, nowhere, PORT, 0, errors.append) as port:
        assert await talk(port, b"hello") == [b""]
    assert [str(error) for error in errors] == ["no pod is ready"]


async def test_a_taken_port_is_refused(client: Client) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) == 0
        with pytest.raises(InvalidError, match=f"port {port} of this machine can't be used"):
            async with port_forward(client, find_pod, PORT, port, lambda _: None):
                pass


async def test_connections_that_are_kept_open_are_ended(client: Client) -> None:
    async with port_forward(client, find_pod, PORT, 0, lambda _: None) as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(b"hello")
        assert await reader.read(100) == b"HELLO"
    assert await asyncio.wait_for(reader.read(100), 5) == b""
    writer.close()
