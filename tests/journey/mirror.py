"""A registry of a company's own, next to nodes without internet: what they pull comes from there."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import oci
from tests.cluster import archives
from tests.cluster.kind import Kind
from tests.cluster.node.imagestore import CTR
from tests.demo.cluster import AISTACK, image_archives

PUBLISHED, MIRRORED = "published", "ai"
"""Paths in the registry: where images are published, in a network that has internet, and the copy."""
_CERTS = "/etc/containerd/certs.d"
_TABLE = f'[plugins."io.containerd.grpc.v1.cri".registry]\\n  config_path = "{_CERTS}"\\n'


@dataclass(frozen=True)
class Mirror:
    """The registry, with TLS by a private authority and a login."""

    registry: oci.Registry
    folder: Path

    @property
    def place(self) -> str:
        """What a stack's ``spec.images.registry`` says."""
        return f"{self.host}/{MIRRORED}"

    @property
    def host(self) -> str:
        """The registry, as the nodes know it."""
        return f"{oci.NAME}:{self.registry.port}"

    def aistack(self, *arguments: str | Path) -> str:
        """Run the command line as somebody who trusts the authority and is logged in."""
        env = os.environ | {
            "DOCKER_CONFIG": str(self.folder),
            "REGISTRY_AUTH_FILE": str(self.folder / "config.json"),
            "SSL_CERT_FILE": str(self.folder / "ca.pem"),
            "NO_PROXY": "127.0.0.1",
        }
        done = subprocess.run([AISTACK, *arguments], env=env, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            raise AssertionError(f"aistack {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def publish(self, images: Iterable[str]) -> None:
        """Push images that were built here, as their makers would."""
        self.aistack("images", "push", "--registry", f"{self.registry.host}/{PUBLISHED}", *images)

    def copy(self, stack: Path) -> list[str]:
        """Mirror all that a stack pulls; returns the references."""
        target, origin = (f"{self.registry.host}/{path}" for path in (MIRRORED, PUBLISHED))
        told = self.aistack("images", "mirror", target, "--from", origin, "-f", stack, "--ca", self.folder / "ca.pem")
        return told.split()

    def pull_secret(self, namespace: str, name: str) -> dict[str, Any]:
        """Return the Secret by which nodes log in."""
        data = {".dockerconfigjson": _encoded(json.dumps(_logins(self.host)))}
        metadata = {"name": name, "namespace": namespace}
        kind = "kubernetes.io/dockerconfigjson"
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data}


@contextmanager
def mirror(kind: Kind, folder: Path) -> Iterator[Mirror]:
    """Run the registry; the nodes know it by its name, and trust its authority."""
    with oci.registry(folder, closed=True, beside=kind.beside) as registry:
        found = Mirror(registry, folder)
        (folder / "config.json").write_text(json.dumps(_logins(registry.host)))
        for node in kind.nodes:
            _forget(kind, node)  # what a run left that was killed
            _introduce(kind, node, found)
        try:
            yield found
        finally:
            for node in kind.nodes:
                _forget(kind, node)


def remove_images(kind: Kind, references: Iterable[str]) -> None:
    """Have the nodes forget images, so that they must be pulled."""
    for node in kind.nodes:
        kind.exec(node, *CTR, "images", "rm", "--sync", *references)


def _forget(kind: Kind, node: str) -> None:
    """Leave a node as it was: what a pull named after an image's configuration is again the image that was loaded."""
    listed = kind.exec(node, *CTR, "images", "list", "--quiet").split()
    if pulled := [name for name in listed if name.startswith(f"{oci.NAME}:")]:
        kind.exec(node, *CTR, "images", "rm", *pulled)
    for archive in image_archives():
        for image in archives.read(archive):
            if image.name in listed:
                kind.exec(node, *CTR, "images", "tag", "--force", image.name, image.digest)


def _introduce(kind: Kind, node: str, found: Mirror) -> None:
    """Let a node know the registry by its name, and trust its authority."""
    place, config = f"{_CERTS}/{found.host}", "/etc/containerd/config.toml"
    hosts = f'server = "https://{found.host}"\n[host."https://{found.host}"]\n  ca = "{place}/ca.pem"\n'
    kind.exec(node, "mkdir", "-p", place)
    kind.docker("cp", found.folder / "ca.pem", f"{node}:{place}/ca.pem")
    for command in (
        f"cat > {place}/hosts.toml <<'END'\n{hosts}END",
        f"grep -q {oci.NAME} /etc/hosts || echo {kind.beside.address} {oci.NAME} >> /etc/hosts",
        f"grep -q config_path {config} || {{ printf '{_TABLE}' >> {config}; systemctl restart containerd; }}",
    ):
        kind.exec(node, "sh", "-c", command)


def _logins(host: str) -> dict[str, Any]:
    return {"auths": {host: {"auth": _encoded(f"{oci.USER}:{oci.PASSWORD}")}}}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
