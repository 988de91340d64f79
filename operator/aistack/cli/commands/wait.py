"""``aistack wait``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from aistack.cli.durations import DEFAULT_TIMEOUT, Timeout
from aistack.cli.exits import ExitCode
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.waiting import Goal, wait_for

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack wait demo                             until it is ready, at most 10 minutes
aistack wait demo --for proven                and until every connection did real work
aistack wait demo --for deleted --timeout 2m

Ends with 3 if the time is up, or as soon as a person must act.
"""


@app.command(epilog=EPILOG)
def wait(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the stack.")],
    goal: Annotated[Goal, typer.Option("--for", help="What to wait for.")] = Goal.READY,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> ExitCode:
    """Watch a stack until it is ready, proven, or gone."""
    return asyncio.run(_wait(session_of(ctx), name, goal, timeout))


async def _wait(session: Session, name: str, goal: Goal, seconds: float) -> ExitCode:
    async with session.client() as client:
        stacks = Stacks(client, session.command)
        look = stacks.find if goal is Goal.DELETED else stacks.get
        await look(session.namespace, name)  # what is wrong at the start is said at once, and not waited for
        code, _ = await wait_for(stacks, session.namespace, name, goal, seconds, session.console())
        return code
