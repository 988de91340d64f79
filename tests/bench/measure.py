"""What a piece of work costs: wall time, CPU and memory of processes, and requests that the API server answered."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
QUIET = frozenset({"watch"})
"""Requests that last: they are written down when they end, and are no work."""


@dataclass
class Cost:
    """What one operation of one contender cost."""

    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of CPU of the contender's processes."""
    server_cpu: float = 0.0
    """Seconds of CPU of the API server and etcd meanwhile."""
    memory: float = 0.0
    """The largest resident memory of its processes, in MiB; of several, the sum."""
    calls: dict[str, int] = field(default_factory=dict)
    """Requests by verb."""

    @property
    def total_calls(self) -> int:
        """All requests."""
        return sum(self.calls.values())


class Audit:
    """The API server's audit log, read on from where it was left.

    Args:
        path: the log.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._at = path, path.stat().st_size

    def news(self) -> Iterator[dict[str, object]]:
        """Yield what was written since the last time."""
        with self._path.open("rb") as log:
            log.seek(self._at)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                yield json.loads(line)

    def calls(self, agents: Iterable[str]) -> dict[str, int]:
        """Count what was written since the last time, by verb; Leases apart.

        Args:
            agents: beginnings of the user agents meant.
        """
        begins, found = tuple(agents), Counter[str]()
        for entry in self.news():
            if str(entry.get("userAgent", "")).startswith(begins) and entry["verb"] not in QUIET:
                resource = dict(entry.get("objectRef") or {}).get("resource")  # type: ignore[call-overload]  # JSON
                found["lease" if resource == "leases" else str(entry["verb"])] += 1
        found.pop("lease", None)
        return dict(found)


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process and its ended children used."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(number) for number in numbers[11:15]) / TICKS


def memory_of(pid: int, line: str = "VmHWM") -> float:
    """Return a process's largest resident memory, or ``VmRSS`` for the present one, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(each.split()[1] for each in status if each.startswith(line))) / 1024


def reset_peak(pid: int) -> None:
    """Have the largest resident memory count from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@contextmanager
def measured(audit: Audit, agents: Iterable[str], pids: Callable[[], list[int]], servers: list[int]) -> Iterator[Cost]:
    """Measure what is done in the block.

    Args:
        audit: where requests are written down.
        agents: beginnings of the contender's user agents.
        pids: its processes that run on; what it starts in the block adds its own share to the cost.
        servers: the API server's processes.
    """
    cost, running = Cost(), pids()
    for pid in running:
        reset_peak(pid)
    for _ in audit.news():
        pass
    before, busy, started = sum(map(cpu_of, running)), sum(map(cpu_of, servers)), time.perf_counter()
    yield cost
    cost.seconds = cost.seconds or time.perf_counter() - started
    cost.cpu += sum(map(cpu_of, running)) - before
    cost.server_cpu = sum(map(cpu_of, servers)) - busy
    cost.memory += sum(map(memory_of, running))
    cost.calls = audit.calls(agents)


def run_measured(command: list[str], cost: Cost, env: dict[str, str] | None = None) -> str:
    """Run a program to its end, add its cost, and return what it printed.

    Raises:
        RuntimeError: it failed.
    """
    read, write = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_DUP2, write, 2), (os.POSIX_SPAWN_CLOSE, read)]
    pid = os.posix_spawnp(command[0], command, {**os.environ, **(env or {})}, file_actions=actions)
    os.close(write)
    output, peak = _drained(read, pid)
    _, status, usage = os.wait4(pid, 0)
    cost.cpu += usage.ru_utime + usage.ru_stime
    cost.memory += peak
    if status:
        raise RuntimeError(f"{' '.join(command)}: {output[-2000:]}")
    return output


def _drained(read: int, pid: int) -> tuple[str, float]:
    """Read all output, and look at the memory again and again: what `wait4` tells is at least its parent's."""
    os.set_blocking(read, False)
    parts, peak = [], 0.0
    while True:
        with suppress(OSError, StopIteration):
            peak = max(peak, memory_of(pid))
        try:
            part = os.read(read, 65536)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        if not part:
            break
        parts.append(part)
    os.close(read)
    return b"".join(parts).decode(errors="replace"), peak
