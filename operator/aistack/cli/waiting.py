"""Waits until a stack is ready, proven or gone, and shows it on its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum

from rich.console import Console
from rich.live import Live
from rich.text import Text

from aistack.api.conditions import ConditionType
from aistack.api.spec import AIStack
from aistack.api.status import AIStackStatus, EdgeState
from aistack.api.wiring import OFF
from aistack.cli.durations import format_duration
from aistack.cli.exits import ExitCode
from aistack.cli.present.advice import operator_hint
from aistack.cli.present.progress import LiveTree, news
from aistack.cli.stacks import Stacks
from aistack.cli.standing import OPERATOR_PATIENCE, Standing, condition, is_true, standing_of, understood, unseen_for
from aistack.cli.voice import complain
from aistack.objects.manifest import Manifest

Show = Callable[[AIStack | None, str], None]
"""Shows a stack (None: it is gone) and a hint."""
LOOK_SECONDS = 5.0
"""How often time itself is news: an operator that doesn't answer, a clock in plain lines."""


class Goal(StrEnum):
    """What to wait for."""

    READY = "ready"
    PROVEN = "proven"
    DELETED = "deleted"


async def wait_for(
    stacks: Stacks, namespace: str, name: str, goal: Goal, seconds: float, console: Console
) -> tuple[ExitCode, AIStack | None]:
    """Wait for a stack, showing how it goes.

    Args:
        stacks: the cluster.
        namespace: the stack's namespace.
        name: its name.
        goal: what to wait for.
        seconds: time after which to give up.
        console: where to show it.

    Returns:
        Whether the goal was reached, and the stack as last seen.

    Raises:
        ClusterError: the stack can't be read.
    """
    last: Manifest | None = None
    with showing(console) as show:
        try:
            async with asyncio.timeout(seconds):
                async for live in _looks(stacks, namespace, name):
                    last = live
                    show(understood(live) if live else None, _hint(live))
                    if (ending := ended(understood(live) if live else None, goal)) is not None:
                        break
        except TimeoutError:
            ending = f"not {goal} after {format_duration(seconds)}"
    return _result(ending or "", understood(last) if last else None, goal)


def ended(stack: AIStack | None, goal: Goal) -> str | None:
    """Tell whether waiting is over: None if not, an empty text at the goal, else why the goal can't be reached."""
    if stack is None:
        return "" if goal is Goal.DELETED else "it doesn't exist (any more)"
    if goal is Goal.DELETED:
        return None
    match standing_of(stack):
        case Standing.READY if goal is Goal.PROVEN and not is_true(stack, ConditionType.PROVEN):
            return _unprovable(stack)
        case Standing.READY:
            return ""
        case Standing.STALLED | Standing.SUSPENDED | Standing.DELETING as standing:
            return f"it is {standing}"
        case _:
            return None


def _unprovable(stack: AIStack) -> str | None:
    """Tell why a stack that is ready won't be proven; None if it may be, any moment."""
    off = stack.spec.proofs.every == OFF and not any(e.state is EdgeState.BROKEN for e in stack.status.edges)
    return "its proofs are off (spec.proofs.every); `aistack prove` runs them once" if off else None


@contextmanager
def showing(console: Console) -> Iterator[Show]:
    """Show stacks in a live tree, or line by line where the output is no terminal."""
    started = time.monotonic()
    if not console.is_terminal:
        yield _lines(console, started)
        return
    tree = LiveTree(lambda: time.monotonic() - started)
    with Live(tree, console=console, refresh_per_second=8, transient=False):

        def show(stack: AIStack | None, hint: str) -> None:
            tree.stack, tree.hint = stack, hint

        yield show


def _lines(console: Console, started: float) -> Show:
    before: AIStackStatus | None = None
    hinted = ""

    def show(stack: AIStack | None, hint: str) -> None:
        nonlocal before, hinted
        lines = [*news(before, stack), *([hint] if hint and not hinted else [])]
        for line in lines:
            console.print(Text(f"{format_duration(time.monotonic() - started):>6}  {line}"))
        before, hinted = stack.status if stack else None, hint or hinted

    return show


async def _looks(stacks: Stacks, namespace: str, name: str) -> AsyncIterator[Manifest | None]:
    """Yield a stack at every change, and again when nothing happened for a while: time itself may be news."""
    changes = stacks.follow(namespace, name)
    upcoming = asyncio.ensure_future(anext(changes))
    seen, last = False, None
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=LOOK_SECONDS)
            if done:
                seen, last = True, upcoming.result()
                upcoming = asyncio.ensure_future(anext(changes))
            if seen:
                yield last
    finally:
        upcoming.cancel()


def _hint(live: Manifest | None) -> str:
    waited = unseen_for(live, datetime.now(UTC)) if live else 0.0
    return operator_hint(waited) if waited > OPERATOR_PATIENCE else ""


def _result(ending: str, stack: AIStack | None, goal: Goal) -> tuple[ExitCode, AIStack | None]:
    if not ending:
        return ExitCode.OK, stack
    message = _last_word(stack, goal) if stack else ""
    return complain(ending + (f": {message}" if message else ""), ExitCode.NOT_READY), stack


def _last_word(stack: AIStack, goal: Goal) -> str:
    """Return what the status says of the goal; of proofs there is something to say once all is ready."""
    proven = condition(stack, ConditionType.PROVEN)
    ready = standing_of(stack) is Standing.READY
    return proven.message if proven and ready and goal is Goal.PROVEN else stack.status.message
