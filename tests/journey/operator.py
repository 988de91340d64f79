"""The operator as a process on this machine, as a developer runs it; in a cluster it is a Deployment."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster.common.daemons import Daemon


def operator_daemon(directory: Path) -> Daemon:
    """Return the operator's process, running or not; its log and its record lie in ``directory``."""
    return Daemon("operator", directory)


def start_operator(daemon: Daemon, kubeconfig: Path, *options: str, tied: bool = True) -> None:
    """Start the operator and wait until it serves.

    Args:
        daemon: its process.
        kubeconfig: the cluster, and whose rights it has there.
        options: more of its options.
        tied: end it when the process that starts it ends.
    """
    daemon.start([sys.executable, "-m", "aistack.controller", "--kubeconfig", str(kubeconfig), *options], tied=tied)
    daemon.wait_until(lambda: "operator started" in daemon.log.read_text(errors="replace"), timeout=60)
