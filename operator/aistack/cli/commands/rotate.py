"""``aistack rotate``."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from aistack.api.conditions import ConditionType
from aistack.api.group import ROTATE
from aistack.cli.asking import carried_out, named_edges, request
from aistack.cli.durations import Timeout, format_duration
from aistack.cli.exits import ExitCode
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.standing import condition, understood
from aistack.cli.voice import complain
from aistack.errors import InvalidError
from aistack.objects.manifest import Manifest

app = typer.Typer()
PATIENCE = 600.0
"""Seconds for each connection: its consumer starts anew."""
EPILOG = """\
[bold]Examples[/]

aistack rotate mlflow/postgres      new credentials for one connection
aistack rotate --all                for all, one after the other

New credentials are made and proven, the consumer starts anew with them, and the former ones end.
If any of it fails, the former ones go on working. Ends with 3 if it wasn't done in time.
"""


@app.command(epilog=EPILOG)
def rotate(
    ctx: typer.Context,
    edge: Annotated[str, typer.Argument(help="Connection, as CONSUMER/CONTRACT.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All connections, one after the other.")] = False,
    stack: Annotated[str, typer.Option("--stack", help="Name of the stack, if there are several.")] = "",
    timeout: Timeout = PATIENCE,
) -> ExitCode:
    """Give connections new credentials."""
    if bool(edge) is everything:
        raise InvalidError("name one connection (CONSUMER/CONTRACT), or say --all")
    return asyncio.run(_rotate(session_of(ctx), edge, stack, timeout))


async def _rotate(session: Session, name: str, stack: str, seconds: float) -> ExitCode:
    async with session.client() as client:
        stacks = Stacks(client, session.command)
        live = await stacks.only(session.namespace, stack)
        for edge in named_edges(understood(live), name):
            started = time.monotonic()
            typer.echo(f"{edge.name} of {edge.provider} ...")
            if why := await _in_vain(stacks, live, edge.name, seconds):
                message = f"not done after {format_duration(seconds)}, the former credentials still work: {why}"
                return complain(message, ExitCode.NOT_READY)
            typer.echo(f"{edge.name} has new credentials after {format_duration(time.monotonic() - started)}")
    return ExitCode.OK


async def _in_vain(stacks: Stacks, live: Manifest, edge: str, seconds: float) -> str:
    """Rotate one edge; say what is in the way if it isn't done in time, else nothing."""
    last = understood(live)
    try:
        looks = carried_out(stacks, live, ROTATE, request(edge), lambda s: s.status.last_handled_rotate, seconds)
        async for stack, _ in looks:
            last = stack
    except TimeoutError:
        proven = condition(last, ConditionType.PROVEN)
        return proven.message if proven else last.status.message
    return ""
