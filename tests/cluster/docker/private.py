"""The private Docker daemon."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

from tests.cluster.common.daemons import Daemon
from tests.cluster.common.debian import which
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.paths import cache_dir
from tests.cluster.common.shell import run
from tests.cluster.docker import netns, runtime
from tests.cluster.docker.client import Docker

PACKAGES = {
    "dockerd": "docker.io",
    "docker": "docker-cli|docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mmdebstrap": "mmdebstrap",
}
"""The programs that the daemon and the node image need, with Debian's packages; older releases have no docker-cli."""

_SOCKET_LIMIT = 100
"""The kernel allows 107 bytes for a socket's path; containerd adds a few."""


class PrivateDocker:
    """One daemon with its containerd in the network namespace `name`.

    Args:
        name: names the namespace.
        directory: where sockets, logs and process records go.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self._directory = directory
        self._socket = directory / "docker.sock"
        self._containerd_socket = directory / "containerd.sock"
        self.containerd = Daemon("containerd", directory)
        self.dockerd = Daemon("dockerd", directory)
        self.data = cache_dir() / "docker" / name
        self.client = Docker({"DOCKER_HOST": f"unix://{self._socket}"})

    @property
    def healthy(self) -> bool:
        """Whether both processes run in their namespace and the daemon answers."""
        alive = self.containerd.alive and self.dockerd.alive and netns.exists(self.name)
        return alive and self.client.answers()

    def start(self) -> None:
        """Start the daemon unless it runs.

        After a crash it starts over the state it left: so it finds, and ends, the containers that outlived it.

        Raises:
            ClusterError: it doesn't start; the message quotes the log.
        """
        if self.healthy:
            return
        if len(str(self._containerd_socket)) > _SOCKET_LIMIT:
            raise ClusterError(f"{self._directory} is too long a path for sockets: set XDG_CACHE_HOME to a shorter one")
        self._end_processes()
        netns.create(self.name)
        inside = netns.inside(self.name)
        self.containerd.start([*inside, _program("containerd"), "--config", self._containerd_config()])
        self.containerd.wait_until(self._containerd_socket.is_socket, timeout=30)
        self.dockerd.start([*inside, _program("dockerd"), f"--config-file={self._dockerd_config()}"])
        self.dockerd.wait_until(self.client.answers, timeout=60)

    def stop(self) -> None:
        """End the daemon and remove its namespace; its data stay."""
        self._end_processes()
        self._unmount()
        netns.remove(self.name)
        for state in ("containerd-state", "dockerd-state"):
            shutil.rmtree(self._directory / state, ignore_errors=True)

    def purge(self) -> None:
        """Remove the data of a stopped daemon: images, containers, volumes."""
        shutil.rmtree(self.data, ignore_errors=True)

    def _end_processes(self) -> None:
        self.dockerd.stop(grace=30)
        self.containerd.stop()
        for left in (self._socket, self._containerd_socket, self._directory / "dockerd.pid"):
            left.unlink(missing_ok=True)

    def _containerd_config(self) -> Path:
        path = self._directory / "containerd.toml"
        path.write_text(
            f'version = 2\nroot = "{self.data}/containerd"\nstate = "{self._directory}/containerd-state"\n'
            f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{self._containerd_socket}"\n'
        )
        return path

    def _dockerd_config(self) -> Path:
        config: dict[str, object] = {
            "hosts": [f"unix://{self._socket}"],
            "data-root": f"{self.data}/dockerd",
            "exec-root": f"{self._directory}/dockerd-state",
            "pidfile": f"{self._directory}/dockerd.pid",
            "containerd": str(self._containerd_socket),
            "log-level": "warn",
        }
        if runtime.needs_wrapper():
            wrapper = runtime.write_wrapper(self._directory / "runc")
            config |= {"runtimes": {"without-sys-resource": {"path": str(wrapper)}}}
            config |= {"default-runtime": "without-sys-resource"}
        path = self._directory / "dockerd.json"
        path.write_text(json.dumps(config, indent=2))
        return path

    def _unmount(self) -> None:
        """Undo mounts that a killed daemon left below its directories."""
        for line in reversed(open_mounts()):
            if line.startswith((f"{self._directory}/", f"{self.data}/")):
                with suppress(ClusterError):
                    run(["umount", "--lazy", line])


def open_mounts() -> list[str]:
    """The mount points of this machine in the order of mounting."""
    return [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]


def _program(name: str) -> str:
    found = which(name)
    if found is None:
        raise ClusterError(f"{name} is not installed")
    return found
