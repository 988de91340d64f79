"""The operator as a process that can be killed: a fork of one that has imported everything, or a fresh interpreter.

A start from nothing costs seconds of CPU in imports, hundreds of starts minutes. The fork runs the same
:func:`aistack.controller.__main__.serve`; SIGKILL is SIGKILL either way.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

IMPATIENT = 4.0
"""Seconds after which an "impatient" operator takes a silent watch, or an unanswered request, for dead."""


@dataclass
class Process:
    """One operator, which may be killed and started again.

    Args:
        kubeconfig: where it finds the API server.
        namespace: the namespace that it serves; its inventories are in the one named so with ``-system``.
        catalog: folder of its catalog.
        log: what it writes, of all its lives.
        whole: a fresh interpreter each time, instead of a fork.
    """

    kubeconfig: Path
    namespace: str
    catalog: Path
    log: Path
    whole: bool = False
    deaths: list[str] = field(default_factory=list)
    """How it ended when nobody killed it."""

    def __post_init__(self) -> None:
        self._process: Any = None
        self.started = 0.0
        """When it was last started."""
        self.options: frozenset[str] = frozenset()

    def start(self) -> None:
        """Start it."""
        self.started = time.monotonic()
        arguments = (str(self.kubeconfig), self.namespace, str(self.catalog), str(self.log), sorted(self.options))
        if self.whole:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.process", *arguments[:4], *self.options],
                    stdout=log,
                    stderr=log,
                )
            return
        self._process = _context().Process(target=run, args=arguments, daemon=True)
        self._process.start()

    def kill(self) -> None:
        """End it at once; that it had ended before is noted."""
        if self._process is None:
            return
        self.check()
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        self._reap()

    def check(self) -> None:
        """Note if it has ended by itself."""
        if self._process is not None and self._code() is not None:
            self.deaths.append(f"the operator exited with {self._code()}")
            self._process = None

    @property
    def running(self) -> bool:
        """Whether it wasn't killed."""
        return self._process is not None and self._code() is None

    def _code(self) -> int | None:
        code = self._process.poll() if self.whole else self._process.exitcode
        return None if code is None else int(code)

    def _reap(self) -> None:
        if self._process is None:
            return
        if self.whole:
            self._process.wait(5)
        else:
            self._process.join(5)
        self._process = None


def run(kubeconfig: str, namespace: str, catalog: str, log: str, options: Sequence[str]) -> None:
    """Be the operator, until killed."""
    from aistack.cluster import transport
    from aistack.controller import __main__ as controller

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: never outlive the tests
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.environ["NO_PROXY"] = "127.0.0.1"
    if "impatient" in options:
        _impatient(transport)
    controller.configure_logs("text")
    asyncio.run(controller.serve(f"{namespace}-system", [namespace], Path(catalog), kubeconfig, "", ""))


def _impatient(transport: Any) -> None:
    """Shorten the limits on silence, kopf's too: no test has minutes."""
    from aistack.controller import handlers, operator, watch

    transport.TIMEOUT = aiohttp.ClientTimeout(total=IMPATIENT)
    handlers.REQUEST_TIMEOUT = IMPATIENT
    normal, kopfs = operator.engine_settings, watch.make_settings
    operator.engine_settings = lambda *given: replace(normal(*given), watch_silence=IMPATIENT)

    def settings(*given: bool) -> Any:
        made = kopfs(*given)
        made.watching.inactivity_timeout = IMPATIENT
        return made

    watch.make_settings = settings


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["aistack.controller.__main__", "tests.faults.process"])
    return context


if __name__ == "__main__":
    run(*sys.argv[1:5], sys.argv[5:])
