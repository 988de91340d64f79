"""Our operator as a process, and what it tells of its work."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.bench.api import Api
from tests.bench.load import CATALOG
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports
from tests.cluster.common.shell import run
from tests.cluster.controlplane import ControlPlane
from tests.journey.operator import operator_daemon, start_operator

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "aistack-system"
QUIET = 0.5
"""Seconds without a pass after which nothing is left to do."""


@dataclass
class Operator:
    """Starts, stops and asks it."""

    plane: ControlPlane
    folder: Path
    port: int = 0

    def __post_init__(self) -> None:
        self.daemon: Daemon = operator_daemon(self.folder)
        self._session = requests.Session()
        self._session.trust_env = False

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self.port = free_ports(1)[0]
        listen = f"127.0.0.1:{self.port}"
        options = ("--catalog", str(CATALOG), "--listen", listen, "--identity", "bench")
        start_operator(self.daemon, self.plane.kubeconfig, *options)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.daemon.pid, self.daemon.log.read_text()[-3000:]
        return self.daemon.pid

    def metric(self, beginning: str) -> float:
        """Return the sum of the series that begin so."""
        text = self._session.get(f"http://127.0.0.1:{self.port}/metrics", timeout=120).text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(beginning))

    @property
    def passes(self) -> float:
        """How many passes over stacks have ended."""
        return self.metric("aistack_reconcile_duration_seconds_count")

    def settle(self, quiet: float = QUIET, seconds: float = 600) -> None:
        """Wait until no pass runs nor waits, for a while."""
        deadline, last, since = time.monotonic() + seconds, -1.0, time.monotonic()
        while time.monotonic() < deadline:
            passes = self.passes
            busy = self.metric("aistack_queue_depth") + self.metric("aistack_queue_running")
            if busy or passes != last:
                last, since = passes, time.monotonic()
            elif time.monotonic() - since >= quiet:
                return
            time.sleep(0.1)
        raise TimeoutError(f"the operator is still at work after {seconds:.0f} s")


def define(plane: ControlPlane, api: Api, *namespaces: str) -> None:
    """Install our definitions and make namespaces."""
    run([plane.kubectl, "--kubeconfig", plane.kubeconfig, "apply", "--server-side", "-f", ROOT / "crds"])
    for namespace in (SYSTEM, *namespaces):
        api.make("/api/v1/namespaces", {"metadata": {"name": namespace}})
