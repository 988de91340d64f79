"""The steps of a trial, as people see them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from aistack.cli.durations import format_duration


@dataclass
class Steps:
    """Says what begins, how long that may take, and how long it took."""

    console: Console
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, title: str, estimate: str = "", *, quiet: bool = False) -> Iterator[None]:
        """Run a step.

        Args:
            title: what happens.
            estimate: how long it may take, e.g. ``about 1 min``.
            quiet: nothing is said until it is over: a spinner turns meanwhile, where there is a terminal.
        """
        began = time.monotonic()
        self.console.print(Text.assemble(("== ", "dim"), (title, "bold"), f" ({estimate})" if estimate else ""))
        if quiet and self.console.is_terminal:
            with self.console.status(""):
                yield
        else:
            yield
        self.say(f"done in {format_duration(time.monotonic() - began)}")

    def say(self, line: object) -> None:
        """Say something of the step that runs."""
        self.console.print(Text(f"   {line}"))

    @property
    def elapsed(self) -> str:
        """The time since the first step."""
        return format_duration(time.monotonic() - self.started)
