"""How a stack is shown on its way: a tree in a terminal, lines everywhere else."""

from __future__ import annotations

import io

from rich.console import Console

from aistack.cli.standing import understood
from aistack.cli.waiting import showing
from tests.unit.cli.lab import live, status

WEB = {"name": "web", "version": "2", "phase": "Progressing", "message": "0 of 1 pods are ready"}
READY = {**WEB, "phase": "Ready", "message": ""}


def shown(terminal: bool) -> str:
    """What two looks at a stack and its end print."""
    file = io.StringIO()
    console = Console(file=file, width=200, force_terminal=terminal, color_system=None)
    with showing(console) as show:
        for _ in range(2):
            show(understood(live(status("web: 0 of 1", Ready="", components=[WEB]))), "")
        show(understood(live(status("all are ready", Ready="Healthy", components=[READY]))), "is an operator running?")
    return file.getvalue()


def test_lines_tell_each_change_once() -> None:
    assert [line.strip() for line in shown(terminal=False).splitlines()] == [
        "0s  web 2  Progressing: 0 of 1 pods are ready",
        "0s  web: 0 of 1",
        "0s  web 2  Ready",
        "0s  all are ready",
        "0s  is an operator running?",
    ]


def test_a_terminal_ends_with_the_tree_of_the_last_look() -> None:
    last = shown(terminal=True).rsplit("demo in ml", 1)[1]
    assert "all are ready" in last
    assert "✓ web 2  Ready" in last
    assert "is an operator running?" in last
