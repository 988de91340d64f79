"""Progress as plain lines: one per step with its time, and a sign of life at least every half minute."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def duration(seconds: float) -> str:
    """Seconds in words: `0.4s`, `12s`, `6m39s`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


class Step:
    """One running step; `detail` is shown with the next sign of life."""

    def __init__(self) -> None:
        self.detail = ""
        self.result = ""


class Progress:
    """Numbers the steps of one command and prints them.

    Args:
        total: how many steps the command has at most.
        stream: where lines go; standard error, since standard output carries results.
        heartbeat: seconds between two signs of life.
        clock: a monotonic clock.
    """

    def __init__(
        self,
        total: int,
        stream: TextIO | None = None,
        heartbeat: float = 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._stream = stream or sys.stderr
        self._heartbeat = heartbeat
        self._clock = clock
        self._count = 0

    @contextmanager
    def step(self, title: str, expect: str = "") -> Iterator[Step]:
        """Print a step's title, signs of life while the body runs, and its time at the end.

        Args:
            title: what is done.
            expect: how long it takes, e.g. "about 7 min on 2 cores, once".
        """
        self._count += 1
        self.say(f"[{self._count}/{max(self._total, self._count)}] {title}" + (f": {expect}" if expect else ""))
        step, start, over = Step(), self._clock(), threading.Event()
        pulse = threading.Thread(target=self._pulse, args=(step, start, over), daemon=True)
        pulse.start()
        outcome = "failed after"
        try:
            yield step
            outcome = "done in"
        finally:
            over.set()
            pulse.join()
            result = f" ({step.result})" if step.result else ""
            self.say(f"      {outcome} {duration(self._clock() - start)}{result}")

    def cached(self, title: str) -> None:
        """Count a step that needs no work."""
        self._count += 1
        self.say(f"[{self._count}/{max(self._total, self._count)}] {title}: ready")

    def say(self, line: str) -> None:
        """Print one line at once."""
        print(line, file=self._stream, flush=True)

    def _pulse(self, step: Step, start: float, over: threading.Event) -> None:
        while not over.wait(self._heartbeat):
            detail = f", {step.detail}" if step.detail else ""
            self.say(f"      ... {duration(self._clock() - start)}{detail}")
