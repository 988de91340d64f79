"""Speed and size of single parts, without nodes; e2e prints how long a stack takes to be Ready."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from aistack.api.parse import parse_stack
from aistack.catalog.loader import load_catalog
from aistack.objects.plan import Observed
from aistack.planning.plan import plan_stack
from tests.bench.proofs import costs, hourly, parent
from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.journey.operator import start_operator

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "examples" / "starter.yaml"
AISTACK = str(Path(sys.executable).parent / "aistack")


def figures() -> None:
    """Measure and print."""
    table = Table("what", "goal", "measured (median of runs)", title="AIStack: speed and size")
    table.add_row("aistack render, as a process", "≤ 0.6 s", _seconds(_time(_render, 7)))
    table.add_row("bare Python, as a process", "for scale", _seconds(_time(_bare, 7)))
    table.add_row("planning starter", "≤ 30 ms", _milliseconds(_time(_planner(), 30)))
    table.add_row("starter's requests, one notebook included", "≤ 1.7 GiB", _footprint())
    table.add_row("operator's resident memory, one stack", "≤ 120 MiB", f"{_operator_memory() / 1024:.0f} MiB")
    _add_proofs(table)
    Console().print(table)


def proof_figures() -> None:
    """Measure what proofs cost, and print."""
    table = Table("what", "goal", "measured (median of runs)", title="AIStack: what proofs cost")
    _add_proofs(table)
    Console().print(table)


def _add_proofs(table: Table) -> None:
    """Add what the proof of each contract costs, and those of two starter stacks: ten edges of six consumers."""
    beside, found = parent(), dict(costs())
    table.add_row("the process beside it", "", str(beside))
    for contract, cost in found.items():
        table.add_row(f"proof of {contract}, as a process", "≤ 96 MiB with the one beside, ≤ 3 s of CPU", str(cost))
    starter = [("postgres", "s3"), ("postgres",), ("s3", "mlflow")]
    table.add_row("ten edges, once an hour", "≤ 0.5 % of a core", f"{hourly(found, beside, starter * 2):.2f} %")


def _time(work: Callable[[], object], runs: int) -> float:
    """Return the median duration of a call, in seconds, after one that isn't counted."""
    durations = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        work()
        durations.append(time.perf_counter() - started)
    return statistics.median(durations[1:])


def _render() -> None:
    subprocess.run([AISTACK, "render", "-f", str(STARTER)], check=True, stdout=subprocess.DEVNULL)


def _bare() -> None:
    subprocess.run([sys.executable, "-c", "pass"], check=True)


def _planner() -> Callable[[], object]:
    stack, catalog = parse_stack(yaml.safe_load(STARTER.read_text())), load_catalog()
    return lambda: plan_stack(stack, catalog, Observed())


def _footprint() -> str:
    stack = parse_stack(yaml.safe_load(STARTER.read_text()))
    asked = plan_stack(stack, load_catalog(), Observed()).footprint
    return f"{asked.memory} and {asked.cpu} CPU in {asked.pods} pods"


def _operator_memory() -> float:
    """Return the operator's resident memory in KiB, 10 s after it made a stack on a real API server."""
    with tempfile.TemporaryDirectory() as folder, ControlPlane(Path(folder)) as plane:
        kubectl = [str(plane.kubectl), "--kubeconfig", str(plane.kubeconfig)]
        for command in (["apply", "--server-side", "-f", str(ROOT / "crds")], ["create", "namespace", "ml"]):
            subprocess.run([*kubectl, *command], check=True, capture_output=True)
        daemon = Daemon("operator", Path(folder))
        start_operator(daemon, plane.kubeconfig)
        subprocess.run([*kubectl, "-n", "ml", "apply", "-f", str(STARTER)], check=True, capture_output=True)
        time.sleep(10)
        status = Path(f"/proc/{daemon.pid}/status").read_text()
        daemon.stop()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _milliseconds(value: float) -> str:
    return f"{value * 1000:.1f} ms"
