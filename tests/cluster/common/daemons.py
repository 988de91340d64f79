"""Processes that outlive the command which started them, and ending exactly those again.

A record on disk holds the process id together with the kernel's start time of that process and the boot it belongs to,
so that an id which the kernel has given to another program is never signalled.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.common.errors import ClusterError
from tests.cluster.common.shell import last_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def start_time(pid: int) -> str | None:
    """The kernel's start time of a running process in clock ticks; None where there is none, or only a zombie.

    A process whose first thread is a zombie runs on, ports and all, until its other threads have ended too.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    state, threads, started = fields[0], int(fields[17]), fields[19]
    return None if state in {"Z", "X"} and threads <= 1 else started


class Daemon:
    """One background process with its log and its record.

    Args:
        name: names the log and the record.
        directory: where both lie.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self._record = directory / f"{name}.pid.json"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the recorded process if that very process still runs."""
        try:
            record = json.loads(self._record.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        started = record["started"]  # None: it ended before its start was recorded
        same_boot = record["boot"] == _BOOT_ID.read_text().strip()
        return int(record["pid"]) if same_boot and started and start_time(record["pid"]) == started else None

    @property
    def alive(self) -> bool:
        """Whether the recorded process still runs."""
        return self.pid is not None

    @property
    def exit_status(self) -> int | None:
        """How the process ended that this very object started: a signal is negative; None while it runs."""
        return self._child.poll() if self._child else None

    def start(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None, *, tied: bool = False) -> None:
        """Start the process in a session of its own; its output goes to the log.

        Args:
            command: program and arguments.
            env: variables set besides the inherited ones.
            tied: end the process when the one which started it dies.
        """
        words = [*_tie(), *map(str, command)] if tied else [str(word) for word in command]
        with self.log.open("wb") as log:
            try:
                self._child = subprocess.Popen(
                    words,
                    env={**os.environ, **(env or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except FileNotFoundError as error:
                raise ClusterError(f"{words[0]} is not installed") from error
        record = {"pid": self._child.pid, "started": start_time(self._child.pid), "boot": _BOOT_ID.read_text().strip()}
        self._record.write_text(json.dumps(record))

    def wait_until(self, ready: Callable[[], bool], timeout: float, interval: float = 0.05) -> None:
        """Wait for a condition while the process lives.

        Raises:
            ClusterError: the process ended or time ran out; the message quotes the end of its log.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.alive:
                raise ClusterError(f"{self.name} ended while starting: {self._last_words()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"{self.name} is not ready after {timeout:.0f} s, see {self.log}")
            time.sleep(interval)

    def stop(self, grace: float = 15) -> None:
        """End the process, kindly and after `grace` seconds by force, and forget it."""
        for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            pid = self.pid
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            self._wait_gone(patience)
        if self._child is not None:
            self._child.poll()  # reaps it
        self._record.unlink(missing_ok=True)

    def _wait_gone(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.02)

    def _last_words(self) -> str:
        return last_lines(self.log.read_text(errors="replace")) if self.log.exists() else "no log"


def _tie() -> list[str]:
    """A prefix that makes the kernel end the process with its parent, where util-linux has it."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
