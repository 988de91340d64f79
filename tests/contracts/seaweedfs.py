"""SeaweedFS on loopback, with the arguments and the environment that ship."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contracts import servers
from tests.contracts.shipped import STACK, Shipped


@contextmanager
def seaweedfs(shipped: Shipped, folder: Path) -> Iterator[None]:
    """Run it on a folder; a later flag overrides an earlier one. It is killed: stopping takes it 15 seconds."""
    container = shipped.pod(f"{STACK}-seaweedfs")["containers"][0]
    program = servers.image_programs("seaweedfs/image") / "weed"
    ports = {
        "s3.port": shipped.ports["s3"],
        **{f"{name}.port": servers.free_port() for name in ("master", "volume", "filer")},
        "metricsPort": servers.free_port(),
    }
    local = [f"-dir={folder}", "-s3.ip.bind=127.0.0.1", "-metricsIp=127.0.0.1"]
    command = [str(program), *container["args"], *local, *(f"-{name}={port}" for name, port in ports.items())]
    ready = servers.passes(container["readinessProbe"], ports["s3.port"])
    with servers.server(command, folder, ready, shipped.environment(container), signal.SIGKILL):
        yield
