"""Our operator as a process, and what it tells of its work."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import requests

from tests.bench.api import Api
from tests.bench.load import CATALOG
from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports
from tests.cluster.common.shell import run
from tests.cluster.controlplane import ControlPlane
from tests.journey.operator import operator_daemon

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "aistack-system"
PASSES = "aistack_reconcile_duration_seconds_count"
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
        command = [str(shipped()), "-m", "aistack.controller", "--kubeconfig", str(self.plane.kubeconfig), *options]
        self.daemon.start(command, tied=True)
        self.daemon.wait_until(lambda: "operator started" in self.daemon.log.read_text(errors="replace"), timeout=60)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.daemon.pid, self.daemon.log.read_text()[-3000:]
        return self.daemon.pid

    def metric(self, *beginnings: str) -> list[float]:
        """Return the sum of the series that begin so, for each beginning."""
        lines = self._session.get(f"http://127.0.0.1:{self.port}/metrics", timeout=120).text.splitlines()
        return [sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(each)) for each in beginnings]

    @property
    def passes(self) -> float:
        """How many passes over stacks have ended."""
        return self.metric(PASSES)[0]

    def settle(self, quiet: float = QUIET, seconds: float = 600) -> None:
        """Wait until no pass runs nor waits, for a while."""
        deadline, last, since = time.monotonic() + seconds, -1.0, time.monotonic()
        while time.monotonic() < deadline:
            passes, *busy = self.metric(PASSES, "aistack_queue_depth", "aistack_queue_running")
            if any(busy) or passes != last:
                last, since = passes, time.monotonic()
            elif time.monotonic() - since >= quiet:
                return
            time.sleep(quiet / 4)
        raise TimeoutError(f"the operator is still at work after {seconds:.0f} s")


@cache
def shipped() -> Path:
    """Return a Python with the operator as its image has it: without what only its developers install."""
    place = ROOT / "build" / "bench" / "python"
    uv = Path(sys.executable).with_name("uv")
    sync = [str(uv), "sync", "--quiet", "--locked", "--no-dev", "--no-editable", "--compile-bytecode"]
    # The copy of our own package is made anew each time: its version doesn't tell what it was made of.
    run([*sync, "--reinstall-package", "aistack"], env={"UV_PROJECT_ENVIRONMENT": str(place)}, cwd=ROOT)
    return place / "bin" / "python"


def define(plane: ControlPlane, api: Api, *namespaces: str) -> None:
    """Install our definitions and make namespaces."""
    run([plane.kubectl, "--kubeconfig", plane.kubeconfig, "apply", "--server-side", "-f", ROOT / "crds"])
    for namespace in (SYSTEM, *namespaces):
        api.make("/api/v1/namespaces", {"metadata": {"name": namespace}})
