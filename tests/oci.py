"""``python -m tests.oci``: a registry as others run it: distribution, compiled from its Go module and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import trustme
import yaml

from tests.cluster.build.golang import installed
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports
from tests.cluster.common.progress import Progress
from tests.cluster.kind import Beside

MODULE = "github.com/distribution/distribution/v3/cmd/registry@v3.1.1"
NAME = "registry.example.com"
"""What nodes know it by."""
USER, PASSWORD = "me", "secret"
_HASH = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"
"""bcrypt's of the password."""


def program() -> Path:
    """Return the program; some minutes the first time."""
    return installed("registry", MODULE)


@dataclass(frozen=True)
class Registry:
    """One that runs; ``authority`` signed its certificate, where it speaks TLS and asks for a login."""

    host: str
    authority: str = ""
    port: int = 0
    """Where it listens itself; others may be led there."""

    def reference(self, name: str = "hello:1.0") -> str:
        """Name an artifact in it."""
        return f"{self.host}/{name}"


@contextmanager
def registry(folder: Path, *, closed: bool = False, beside: Beside | None = None) -> Iterator[Registry]:
    """Run one on loopback, or where a cluster's nodes reach it.

    Args:
        folder: for its data, which stay.
        closed: whether it speaks TLS with a certificate of a private authority, and asks for a login.
        beside: the place next to the nodes.
    """
    (port,) = free_ports(1)
    # Loopback's own names are spoken to without TLS.
    address = beside.address if beside else "127.0.0.2" if closed else "127.0.0.1"
    authority = trustme.CA() if closed else None
    folder.mkdir(parents=True, exist_ok=True)
    config = _config(folder, f"{address}:{port}", authority)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    daemon = Daemon("registry", folder)
    prefix = beside.prefix if beside else ()
    daemon.start([*prefix, program(), "serve", folder / "config.yaml"], {"OTEL_TRACES_EXPORTER": "none"}, tied=True)
    trusted = authority.cert_pem.bytes().decode() if authority else ""
    try:
        with beside.reach(port) if beside else nullcontext((address, port)) as (host, local):
            url = f"{'https' if closed else 'http'}://{host}:{local}/v2/"
            daemon.wait_until(lambda: _answers(url, str(folder / "ca.pem")), timeout=60)
            yield Registry(f"{host}:{local}", trusted, port)
    finally:
        daemon.stop()


def _config(folder: Path, address: str, authority: trustme.CA | None) -> dict[str, Any]:
    """Return the registry's configuration, and write what it names."""
    http: dict[str, Any] = {"addr": address}
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder / "data")}}, "http": http}
    if authority:
        names = {address.partition(":")[0], "127.0.0.1", "127.0.0.2", NAME}
        certificate = authority.issue_cert(*sorted(names))
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "tls.pem")
        authority.cert_pem.write_to_path(folder / "ca.pem")
        http["tls"] = {"certificate": str(folder / "tls.pem"), "key": str(folder / "tls.pem")}
        (folder / "users").write_text(f"{USER}:{_HASH}\n")
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "users")}}
    return config


def _answers(url: str, trusted: str) -> bool:
    try:
        return requests.get(url, timeout=5, verify=trusted).status_code in (200, 401)
    except requests.RequestException:
        return False


def main() -> None:
    """Build it before the tests, which have a time limit each, and say so."""
    with Progress(1).step("the registry distribution, from its Go module", "about 3 min, once"):
        program()


if __name__ == "__main__":
    main()
