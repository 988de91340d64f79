"""``aistack down``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from aistack.cli.durations import DEFAULT_TIMEOUT, Timeout
from aistack.cli.exits import ExitCode
from aistack.cli.session import session_of
from aistack.cli.trial.leaving import remove_cluster, remove_stack
from aistack.cli.trial.place import place_of
from aistack.cli.trial.steps import Steps

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack down                            the kind cluster, with all that is in it
aistack down --current --name demo      the stack and the operator, in the cluster that kubectl reaches
"""


@app.command(epilog=EPILOG)
def down(
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", help="Name of the stack, where the cluster stays.")] = "demo",
    cluster: Annotated[str, typer.Option("--cluster", help="Name of the kind cluster.")] = "aistack",
    current: Annotated[bool, typer.Option("--current", help="In the current context; so does --context.")] = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> ExitCode:
    """Take away what up brought: its kind cluster; in a cluster of yours, the stack and the operator.

    In a cluster of yours the stack's data is kept or deleted as its spec.deletionPolicy says, and an operator that
    other stacks need stays.
    """
    session = session_of(ctx)
    place = place_of(session, cluster, current)
    steps = Steps(session.console())
    if place.own and place.kind is not None:
        return remove_cluster(place.kind, steps, yes)
    return asyncio.run(remove_stack(place, steps, name, timeout))
