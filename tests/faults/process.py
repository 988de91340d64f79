"""The operator as a process that can be killed: a fork of one that has imported everything, or a fresh interpreter.

A start from nothing costs seconds of CPU in imports, hundreds of starts minutes. The fork runs the same
:func:`aistack.controller.__main__.serve`; SIGKILL is SIGKILL either way.
"""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

IMPATIENT = 4.0
"""Seconds after which a "watchful" operator takes a silent watch, a "hurried" one an unanswered request, for dead."""

_LOADED = ["aistack.controller.__main__", "aistack.planning.refusals", "tests.faults.__main__", "tests.faults.warm"]
"""What all forks need; each imports its program's main module, too."""

SKEWS = {"ahead": 3600.0, "behind": -3600.0}
"""Options by which the operator's clock is wrong by so many seconds."""


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
        self.starts = 0
        """How often it was."""
        self.options: frozenset[str] = frozenset()
        """What it is to be started with."""
        self.has: frozenset[str] = frozenset()
        """What it was last started with."""

    def start(self) -> None:
        """Start it."""
        self.started, self.has = time.monotonic(), self.options
        self.starts += 1
        arguments = (str(self.kubeconfig), self.namespace, str(self.catalog), str(self.log), self.options)
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

    def tell_stacks(self) -> None:
        """Have it write to its log what its threads are at."""
        if self.running:
            os.kill(self._process.pid, signal.SIGUSR1)

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


def run(kubeconfig: str, namespace: str, catalog: str, log: str, options: Set[str]) -> None:
    """Be the operator, until killed."""
    from aistack.catalog.loader import load_catalog
    from aistack.cluster import transport
    from aistack.controller import __main__ as controller
    from aistack.controller import handlers, watch
    from aistack.controller.operator import Operator
    from aistack.controller.options import Options
    from aistack.settings import engine_settings

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: never outlive the tests
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(out, stream)
    faulthandler.register(signal.SIGUSR1)
    os.environ["NO_PROXY"] = "127.0.0.1"
    settings = engine_settings(f"{namespace}-system", [namespace])
    if "watchful" in options:
        settings = replace(settings, watch_silence=IMPATIENT)
        _watchful(watch)
    if "hurried" in options:
        transport.TIMEOUT = aiohttp.ClientTimeout(total=IMPATIENT)
        handlers.REQUEST_TIMEOUT = IMPATIENT
    for skew in options & SKEWS.keys():
        _skew(SKEWS[skew])

    async def connect() -> Operator:
        # As in a container that is started anew: under the former identity it leads again at once.
        known = Options(identity=namespace)
        return await Operator.connect(load_catalog(Path(catalog)), settings, known, kubeconfig)

    controller.configure_logs("text")
    asyncio.run(controller.serve(connect, [namespace], ""))


def _watchful(module: Any) -> None:
    """Have kopf, too, take a silent watch for dead."""
    normal = module.make_settings

    def settings(*given: bool) -> Any:
        made = normal(*given)
        made.watching.inactivity_timeout = IMPATIENT
        return made

    module.make_settings = settings


def _skew(seconds: float) -> None:
    """Let the operator's clock be wrong, wherever it asks for the time of day; all others' are right."""
    from aistack.cluster.engine import Engine
    from aistack.pipeline import Pipeline
    from aistack.sharing import Sharing, utc_now

    wrong = (
        (time.time, lambda: time.time() + seconds),
        (utc_now, lambda: utc_now() + timedelta(seconds=seconds)),
    )
    for kind in (Engine, Pipeline, Sharing):
        made: Any = kind.__init__
        before = made.__defaults__
        made.__defaults__ = tuple(next((new for old, new in wrong if given is old), given) for given in before)
        if made.__defaults__ == before:
            raise AssertionError(f"{kind.__name__} asks for the time in another way by now")


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


if __name__ == "__main__":
    kubeconfig, namespace, catalog, log, *options = sys.argv[1:]
    run(kubeconfig, namespace, catalog, log, set(options))
