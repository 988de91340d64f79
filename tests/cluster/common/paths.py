"""Where things lie: caches that outlive a cluster, and run directories that do not."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from tests.cluster.common.errors import ClusterError

TOOLCHAIN = Path(__file__).parents[1] / "toolchain"
"""The Go module that names everything compiled."""

_GO_ARCH = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_MULTIARCH = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}


def cache_dir() -> Path:
    """The directory of everything that is kept between clusters, made if missing."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(home) / "aistack"
    path.mkdir(parents=True, exist_ok=True)
    return path


def run_dir(name: str) -> Path:
    """The directory of a running cluster's sockets, logs, process records and kubeconfig, private to the user."""
    path = cache_dir() / "run" / name
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def arch() -> str:
    """This machine's architecture in Go's and Kubernetes' words.

    Raises:
        ClusterError: neither amd64 nor arm64.
    """
    machine = platform.machine().lower()
    if machine not in _GO_ARCH:
        raise ClusterError(f"the test cluster runs on x86_64 and aarch64; this machine is {machine}")
    return _GO_ARCH[machine]


def multiarch() -> str:
    """Debian's name of the directory that holds this architecture's shared libraries."""
    return _MULTIARCH[arch()]
