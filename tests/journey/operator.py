"""The operator as a process on this machine, as a developer runs it; in a cluster it is a Deployment."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster.common.daemons import Daemon


def operator_daemon(directory: Path) -> Daemon:
    """Return the operator's process, running or not; its log and its record lie in ``directory``."""
    return Daemon("operator", directory)


def start_operator(daemon: Daemon, kubeconfig: Path) -> None:
    """Start the operator and wait until it serves."""
    daemon.start([sys.executable, "-m", "aistack.controller", "--kubeconfig", str(kubeconfig)])
    daemon.wait_until(lambda: "operator started" in daemon.log.read_text(errors="replace"), timeout=60)
