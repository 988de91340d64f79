"""What a proof costs: the process that its Job runs, against real servers on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.contracts import seaweedfs, servers
from tests.contracts.shipped import Binding, Provider, Shipped

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import resource, sys
from pathlib import Path
from aistack.proving.proofs import prove_one
status = prove_one(sys.argv[1], bindings=Path(sys.argv[2]))
used = resource.getrusage(resource.RUSAGE_SELF)
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmHWM")), used.ru_utime + used.ru_stime)
sys.exit(status)
"""
"""Tells at its end the largest memory that it had itself, in KiB: what `wait4` tells is at least its parent's."""
CONSUMER = "mlflow"


@dataclass(frozen=True)
class Cost:
    """Of one process: its largest resident memory in MiB, and seconds of CPU."""

    memory: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.memory:.0f} MiB, {self.cpu:.1f} s of CPU"


def costs() -> Iterator[tuple[str, Cost]]:
    """Yield what the proofs of starter's two stores cost."""
    sys.path.insert(0, str(ROOT / "manifests"))  # where contracts' programs are
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shipped = Shipped(folder, ports={name: servers.free_port() for name in ("postgres", "s3")})
        for contract in ("postgres", "s3"):
            with _provider(shipped, contract) as provider:
                share = provider.share(CONSUMER)
                provider.claim(share)
                yield contract, _cost(contract, share, folder)


@contextmanager
def _provider(shipped: Shipped, contract: str) -> Iterator[Provider]:
    if contract == "postgres":
        provider = Provider(shipped, contract, "postgres")
        with servers.postgres(provider.admin["password"], int(provider.admin["port"])):
            yield provider
    else:
        data = shipped.folder / "seaweedfs"
        data.mkdir()
        with seaweedfs.seaweedfs(shipped, data):
            yield Provider(shipped, contract, "seaweedfs")


def _cost(contract: str, share: Binding, folder: Path) -> Cost:
    for key, value in share.items():
        file = folder / contract / "share" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value, "utf-8")
    command = [sys.executable, "-c", PROGRAM, f"share={contract}", str(folder / contract)]
    paths = {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'manifests'}"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **paths}, check=True)
    memory, cpu = done.stdout.splitlines()[-1].split()
    return Cost(float(memory) / 1024, float(cpu))
