"""``python -m tests.repositories``: repositories of charts on loopback, with TLS of a private authority.

One is a web server with files, the other a registry as others run it: distribution, compiled from its Go module.
"""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme
import yaml

from tests.chart.helm import helm
from tests.cluster.build.golang import installed
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports

HOST = "127.0.0.1"
REGISTRY = "github.com/distribution/distribution/v3/cmd/registry@v3.1.1"
USER, PASSWORD = "team", "s3cret"
CHART = "apiVersion: v2\nname: hash\nversion: 0.1.0\n"


def registry_program() -> Path:
    """Return the program; about 2 min the first time."""
    return installed("registry", REGISTRY)


@dataclass
class Repository:
    """A place where charts lie: its address, and what it takes to be let in and to trust it."""

    address: str
    trust: Path
    logins: Path | None = None
    asked: list[str] = field(default_factory=list)
    """Paths that were asked for, of a web server."""


class _Files(SimpleHTTPRequestHandler):
    """Serves files, and notes what is asked for; a path under /slow is never answered."""

    def __init__(self, *args: object, asked: list[str], **more: object) -> None:
        self._asked = asked
        super().__init__(*args, **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer."""
        self._asked.append(self.path)
        if self.path.startswith("/slow"):
            time.sleep(30)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@contextmanager
def web(folder: Path) -> Iterator[Repository]:
    """Serve a folder's files by https until the block ends."""
    authority, trust = trustme.CA(), folder / "ca.pem"
    authority.cert_pem.write_to_path(trust)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    asked: list[str] = []
    server = ThreadingHTTPServer((HOST, 0), partial(_Files, asked=asked, directory=str(folder)))
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Repository(f"https://{HOST}:{server.server_port}", trust, asked=asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def registry(folder: Path) -> Iterator[Repository]:
    """Run a registry that asks for a login until the block ends."""
    (port,) = free_ports(1)
    authority, trust, address = trustme.CA(), folder / "ca.pem", f"{HOST}:{port}"
    authority.cert_pem.write_to_path(trust)
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(folder / "tls.pem")
    (folder / "users").write_text(_user(folder))
    http = {"addr": address, "tls": {"certificate": str(folder / "tls.pem"), "key": str(folder / "tls.pem")}}
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": http,
        "auth": {"htpasswd": {"realm": "charts", "path": str(folder / "users")}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    logins = folder / "logins.json"
    logins.write_text(json.dumps({"auths": {address: {"auth": login}}}))
    daemon = Daemon("registry", folder)
    daemon.start([registry_program(), "serve", folder / "config.yaml"], {"OTEL_TRACES_EXPORTER": "none"}, tied=True)
    try:
        daemon.wait_until(lambda: _listens(port), timeout=60)
        yield Repository(f"oci://{address}/charts", trust, logins)
    finally:
        daemon.stop()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _user(folder: Path) -> str:
    """Return the line of a file of users; helm knows how to hash a password."""
    chart = folder / "hash"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART)
    (chart / "templates" / "x.yaml").write_text(f'user: {{{{ htpasswd "{USER}" "{PASSWORD}" | quote }}}}')
    done = subprocess.run([helm(), "template", "x", chart], capture_output=True, text=True, check=True)
    return str(yaml.safe_load(done.stdout)["user"]) + "\n"


if __name__ == "__main__":
    print(registry_program())
