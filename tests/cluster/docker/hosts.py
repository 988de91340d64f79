"""Where kind's nodes run: a Docker daemon that already answers and can pull kind's images, or the private one."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tests.cluster import versions
from tests.cluster.common import debian
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.paths import cache_dir
from tests.cluster.common.ports import free_ports, listens
from tests.cluster.docker import netns, relay
from tests.cluster.docker.client import Docker
from tests.cluster.docker.private import PACKAGES, PrivateDocker
from tests.cluster.node import image, imagestore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.cluster.common.progress import Progress

_INOTIFY = Path("/proc/sys/fs/inotify")
_INOTIFY_LEAST = {"max_user_instances": 1024, "max_user_watches": 524288}
"""Every kubelet, containerd and systemd of every node takes some; the kernel's default is too few for three nodes."""


class Host(Protocol):
    """What a cluster asks of the place where its nodes run."""

    kind: str
    docker: Docker

    @property
    def healthy(self) -> bool:
        """Whether the daemon, and the way into it, work."""

    def start(self, progress: Progress) -> None:
        """Bring the daemon up if it isn't."""

    def prepare(self, nodes: Sequence[str], preload: Sequence[Path], progress: Progress) -> str:
        """Make ready to create these nodes and return the node image."""

    def mounts(self, node: str) -> Mapping[Path, str]:
        """What a node mounts: directories of this machine by their place in the node."""

    def connect(self, port: int) -> None:
        """Make the API server, published on this port of the daemon's loopback, answer on the user's loopback."""

    def reach(self, address: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """Where a port of a node answers this machine's programs, until the block ends."""

    @property
    def beside(self) -> list[str]:
        """What a command is prefixed with to run in the network that the nodes' is reached from."""

    def stop(self, *, purge: bool) -> None:
        """End what `start` and `connect` started."""


class OwnHost:
    """The private daemon, its node image and the relay into its namespace.

    Args:
        name: the cluster's name; names the namespace too.
        directory: the cluster's run directory.
    """

    kind = "private Docker daemon"

    def __init__(self, name: str, directory: Path) -> None:
        self._directory = directory
        self._daemon = PrivateDocker(name, directory)
        self._relay = Daemon("relay", directory)
        self._nodes = cache_dir() / "nodes" / name
        self.docker = self._daemon.client

    @property
    def healthy(self) -> bool:
        """Whether the daemon and the relay work."""
        return self._relay.alive and self._daemon.healthy

    def start(self, progress: Progress) -> None:
        """Install what the daemon needs and start it."""
        if os.geteuid() != 0:
            raise ClusterError(
                "no Docker daemon here can pull kindest/node, and running a private one takes root: "
                "start Docker with access to a registry, or run this as root"
            )
        debian.ensure(PACKAGES, progress)
        _raise_inotify_limits()
        with progress.step("private Docker daemon", "about 2 s"):
            self._daemon.start()

    def prepare(self, nodes: Sequence[str], preload: Sequence[Path], progress: Progress) -> str:
        """Make the node image and give each node its store of images."""
        name = image.ensure(self.docker, progress)
        store = imagestore.ensure(self.docker, preload, progress)
        for node in nodes:
            imagestore.link(store, self._nodes / node)
        return name

    def mounts(self, node: str) -> Mapping[Path, str]:
        """A node's store of images."""
        return {self._nodes / node: "/var/lib/containerd"}

    def connect(self, port: int) -> None:
        """Start the relay into the namespace."""
        self._relay.stop()
        self._relay.start(self._relay_command(f"{port}=127.0.0.1:{port}"))
        self._relay.wait_until(lambda: listens(port), timeout=10)

    @contextmanager
    def reach(self, address: str, port: int) -> Iterator[tuple[str, int]]:
        """On loopback, by another relay into the namespace."""
        (local,) = free_ports(1)
        way = Daemon(f"relay-{local}", self._directory)
        way.start(self._relay_command(f"{local}={address}:{port}"), tied=True)
        try:
            way.wait_until(lambda: listens(local), timeout=10)
            yield "127.0.0.1", local
        finally:
            way.stop()
            way.log.unlink()

    @property
    def beside(self) -> list[str]:
        """Into the namespace."""
        return netns.inside(self._daemon.name)

    def _relay_command(self, route: str) -> list[str | Path]:
        return [sys.executable, relay.__file__, netns.path(self._daemon.name), route]

    def stop(self, *, purge: bool) -> None:
        """End the relay and the daemon; keep its data unless asked to purge them."""
        self._relay.stop()
        self._daemon.stop()
        shutil.rmtree(self._nodes, ignore_errors=True)
        if purge:
            self._daemon.purge()


class GivenHost:
    """The Docker daemon that the user's own `docker` reaches; published ports are on the user's loopback already."""

    kind = "the machine's Docker daemon"

    def __init__(self, node_image: str) -> None:
        self.docker = Docker()
        self._image = node_image

    @property
    def healthy(self) -> bool:
        """Whether the daemon answers."""
        return self.docker.answers()

    def start(self, progress: Progress) -> None:
        """Check that the daemon answers: it isn't ours to start."""
        if not self.healthy:
            raise ClusterError("the Docker daemon that the cluster was made with does not answer: start it")
        progress.cached(self.kind)

    def prepare(self, nodes: Sequence[str], preload: Sequence[Path], progress: Progress) -> str:
        """Pull the node image; archives are loaded once the nodes run."""
        del nodes, preload
        if not self.docker.has_image(self._image):
            with progress.step(f"pulling {self._image}", "about 1 GB, once"):
                self.docker("pull", "--quiet", self._image, timeout=1800)
        return self._image

    def mounts(self, node: str) -> Mapping[Path, str]:
        """None."""
        del node
        return {}

    def connect(self, port: int) -> None:
        """Nothing to do."""

    def reach(self, address: str, port: int) -> AbstractContextManager[tuple[str, int]]:
        """The node's own address: its network is this machine's."""
        return nullcontext((address, port))

    @property
    def beside(self) -> list[str]:
        """Nothing: the nodes' network is this machine's."""
        return []

    def stop(self, *, purge: bool) -> None:
        """Nothing to do."""


def pullable_image() -> str | None:
    """The best kindest/node that the machine's own daemon has or can pull; None without daemon or registry."""
    docker = Docker()
    if not docker.answers():
        return None
    *newer, oldest = [f"kindest/node:{tag}" for tag in versions.KIND_NODE_TAGS]
    if found := next((name for name in (*newer, oldest) if docker.has_image(name)), None):
        return found
    if not _in_registry(docker, oldest):
        return None
    return next((name for name in newer if _in_registry(docker, name)), oldest)


def _in_registry(docker: Docker, name: str) -> bool:
    return docker.succeeds("manifest", "inspect", name, timeout=8)


def _raise_inotify_limits() -> None:
    for name, least in _INOTIFY_LEAST.items():
        limit = _INOTIFY / name
        if int(limit.read_text()) < least:
            with suppress(OSError):  # read-only in some containers; one node does without
                limit.write_text(str(least))
