"""What a proof costs: the process that its Job runs, against real servers on loopback."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.contracts import jupyterhub as hub
from tests.contracts import memory, seaweedfs, servers
from tests.contracts import mlflow as tracking
from tests.contracts import prometheus as collector
from tests.contracts.shipped import Binding, Provider, Shipped

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import resource, sys
from pathlib import Path
from aistack.proving.proofs import prove_one
status = prove_one(sys.argv[1], bindings=Path(sys.argv[2]))
used = resource.getrusage(resource.RUSAGE_SELF)
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), used.ru_utime + used.ru_stime, status)
"""
"""Tells at its end the largest memory that it had itself, in KiB: what `wait4` tells is at least its parent's."""
IDLE = """
import resource, sys
from aistack.proving import proofs
used = resource.getrusage(resource.RUSAGE_SELF)
lines = open("/proc/self/status").read().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), used.ru_utime + used.ru_stime, 0)
"""
"""The process that starts one for each edge, and waits."""
PORTS = ("postgres", "s3", "mlflow", "notebooks", "redis", "metrics", "vector")
RUNS = 3


@dataclass(frozen=True)
class Cost:
    """Of one process: its largest resident memory in MiB, and seconds of CPU; medians."""

    memory: float
    cpu: float
    whole: bool = True
    """Whether it came to its end: a notebook server needs a cluster."""

    def __str__(self) -> str:
        note = "" if self.whole else " (up to the notebook server, which needs a cluster)"
        return f"{self.memory:.0f} MiB, {self.cpu:.2f} s of CPU{note}"


def costs() -> Iterator[tuple[str, Cost]]:
    """Yield what the proof of each contract costs."""
    sys.path.insert(0, str(ROOT / "manifests"))  # where contracts' programs are
    with tempfile.TemporaryDirectory() as made, ExitStack() as running:
        folder = Path(made)
        ports = {name: servers.free_port() for name in PORTS}
        shipped = Shipped(folder, ports={**ports, "vector": ports["postgres"]})
        for contract, start in PROVIDERS.items():
            own = folder / contract
            own.mkdir()
            provider, share = running.enter_context(start(shipped, own))
            provider.claim(share)
            yield contract, _cost(contract, share, own)


def parent() -> Cost:
    """Return what the process costs that is there beside the proof of each edge of a consumer."""
    return _median([_run(IDLE) for _ in range(RUNS)])


def hourly(found: Mapping[str, Cost], beside: Cost, edges: Sequence[Sequence[str]]) -> float:
    """Return how much of a core it takes to prove edges once an hour, in percent.

    Args:
        found: costs by contract.
        beside: of the process beside them.
        edges: contracts of each consumer.
    """
    return sum(beside.cpu + sum(found[contract].cpu for contract in one) for one in edges) / 36


Started = Iterator[tuple[Provider, Binding]]


@contextmanager
def _postgres(shipped: Shipped, _: Path) -> Started:
    provider = Provider(shipped, "postgres", "postgres")
    with servers.postgres(provider.admin["password"], int(provider.admin["port"])):
        yield provider, provider.share("mlflow")


@contextmanager
def _vector(shipped: Shipped, _: Path) -> Started:
    provider = Provider(shipped, "vector", "postgres", administrator="postgres")
    yield provider, provider.share("app-docs")


@contextmanager
def _s3(shipped: Shipped, folder: Path) -> Started:
    with seaweedfs.seaweedfs(shipped, folder):
        provider = Provider(shipped, "s3", "seaweedfs")
        yield provider, _open_ports(provider.share("mlflow"))


@contextmanager
def _redis(shipped: Shipped, folder: Path) -> Started:
    with memory.server("valkey", shipped, folder):
        provider = Provider(shipped, "redis", "valkey")
        yield provider, provider.share("app-one")


@contextmanager
def _mlflow(shipped: Shipped, folder: Path) -> Started:
    with tracking.mlflow(shipped, folder):
        provider = Provider(shipped, "mlflow", "mlflow")
        yield provider, provider.share("jupyterhub")


@contextmanager
def _metrics(shipped: Shipped, folder: Path) -> Started:
    provider = collector.provider(shipped)
    with collector.prometheus(shipped, folder, {}):
        yield provider, provider.share("app-metrics-one")


@contextmanager
def _notebooks(shipped: Shipped, folder: Path) -> Started:
    postgres = Provider(shipped, "postgres", "postgres")
    postgres.claim(postgres.share("jupyterhub"))
    with hub.jupyterhub(shipped, folder):
        provider = Provider(shipped, "notebooks", "jupyterhub")
        yield provider, {**provider.admin, "username": "demo-bench", "token": "b" * 40}


PROVIDERS: Mapping[str, Callable[[Shipped, Path], AbstractContextManager[tuple[Provider, Binding]]]] = {
    "postgres": _postgres,
    "vector": _vector,
    "s3": _s3,
    "redis": _redis,
    "mlflow": _mlflow,
    "metrics": _metrics,
    "notebooks": _notebooks,
}
"""In an order in which each finds what it needs running."""


def _open_ports(share: Binding) -> Binding:
    """Return a share without the ports that must be closed: on loopback they are open."""
    return {key: value for key, value in share.items() if not key.endswith("-ports")}


def _cost(contract: str, share: Binding, folder: Path) -> Cost:
    for key, value in share.items():
        file = folder / "binding" / "share" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value, "utf-8")
    found = _median([_run(PROGRAM, f"share={contract}", str(folder / "binding")) for _ in range(RUNS)])
    if not found.whole and contract != "notebooks":
        raise RuntimeError(f"the proof of {contract} failed")
    return found


def _run(program: str, *arguments: str) -> Cost:
    paths = {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'manifests'}"}
    command = [sys.executable, "-c", program, *arguments]
    # A program that failed ends with 0 all the same, as it tells so itself.
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **paths}, check=True)
    memory_used, cpu, status = done.stdout.splitlines()[-1].split()
    return Cost(float(memory_used) / 1024, float(cpu), status == "0")


def _median(runs: Sequence[Cost]) -> Cost:
    memory_used, cpu = (statistics.median(getattr(run, name) for run in runs) for name in ("memory", "cpu"))
    return Cost(memory_used, cpu, all(run.whole for run in runs))
