"""Network namespaces with nothing in them but loopback."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cluster.common.shell import run

_NAMESPACES = Path("/run/netns")


def path(name: str) -> Path:
    """The file that stands for a namespace."""
    return _NAMESPACES / name


def exists(name: str) -> bool:
    """Whether the namespace is there; a file left by a crash is not a namespace."""
    return os.path.ismount(path(name))  # Path.is_mount sees directories only


def create(name: str) -> None:
    """Make the namespace with its loopback up, unless it is there."""
    if exists(name):
        return
    path(name).unlink(missing_ok=True)
    run(["ip", "netns", "add", name])
    run(["ip", "-n", name, "link", "set", "lo", "up"])


def remove(name: str) -> None:
    """Remove the namespace if it is there."""
    if exists(name):
        run(["ip", "netns", "delete", name])


def inside(name: str) -> list[str]:
    """The prefix that runs a command in the namespace; `ip netns exec` would hide the host's cgroups from it."""
    return ["nsenter", f"--net={path(name)}", "--"]
