"""``python -m tests.oci``: a registry as others run it: distribution, compiled from its Go module and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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

MODULE = "github.com/distribution/distribution/v3/cmd/registry@v3.1.1"
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

    def reference(self, name: str = "hello:1.0") -> str:
        """Name an artifact in it."""
        return f"{self.host}/{name}"


@contextmanager
def registry(folder: Path, *, closed: bool = False) -> Iterator[Registry]:
    """Run one on loopback.

    Args:
        folder: for its data, which stay.
        closed: whether it speaks TLS with a certificate of a private authority, and asks for a login.
    """
    (port,) = free_ports(1)
    # Loopback's own names are spoken to without TLS.
    address, authority = ("127.0.0.2", trustme.CA()) if closed else ("127.0.0.1", None)
    http: dict[str, Any] = {"addr": f"{address}:{port}"}
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder / "data")}}, "http": http}
    folder.mkdir(parents=True, exist_ok=True)
    if authority:
        certificate = authority.issue_cert(address)
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "tls.pem")
        http["tls"] = {"certificate": str(folder / "tls.pem"), "key": str(folder / "tls.pem")}
        (folder / "users").write_text(f"{USER}:{_HASH}\n")
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "users")}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    daemon = Daemon("registry", folder)
    daemon.start([program(), "serve", folder / "config.yaml"], {"OTEL_TRACES_EXPORTER": "none"}, tied=True)
    try:
        url = f"{'https' if closed else 'http'}://{address}:{port}/v2/"
        trusted = folder / "ca.pem"
        if authority:
            authority.cert_pem.write_to_path(trusted)
        daemon.wait_until(lambda: _answers(url, str(trusted)), timeout=60)
        yield Registry(f"{address}:{port}", authority.cert_pem.bytes().decode() if authority else "")
    finally:
        daemon.stop()


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
