"""``aistack delete``."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from aistack.api.spec import AIStack, DeletionPolicy
from aistack.cli.durations import DEFAULT_TIMEOUT, Timeout
from aistack.cli.exits import ExitCode
from aistack.cli.remains import count_objects, deletion_statement, kubectl_list
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.standing import understood
from aistack.cli.waiting import Goal, wait_for
from aistack.cluster.client import Client
from aistack.objects.manifest import Manifest

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack delete demo                 data stays or goes as spec.deletionPolicy says
aistack delete demo --wait          and watch until it is gone
aistack delete demo --orphan        only the AIStack: for stacks without an operator
"""


@app.command(epilog=EPILOG)
def delete(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the stack.")],
    wait: Annotated[bool, typer.Option("--wait", help="Watch until it is gone.")] = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
    orphan: Annotated[bool, typer.Option("--orphan", help="Leave all of its objects where they are.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before data is deleted.")] = False,
) -> ExitCode:
    """Delete a stack, after saying what becomes of its data."""
    session = session_of(ctx)
    return asyncio.run(_delete(session, name, orphan, yes, timeout if wait else 0))


async def _delete(session: Session, name: str, orphan: bool, yes: bool, seconds: float) -> ExitCode:
    async with session.client() as client:
        stacks = Stacks(client, session.command)
        live = await stacks.get(session.namespace, name)
        stack = understood(live)
        typer.echo(_orphan_statement(stack) if orphan else deletion_statement(stack))
        if not orphan and not yes and stack.spec.deletion_policy is DeletionPolicy.DELETE and sys.stdin.isatty():
            typer.confirm("Delete its data for good?", abort=True)
        if orphan:
            return await _orphan(client, stacks, live)
        await stacks.delete(live)
        if not seconds:
            wait = session.command(f"wait {name} --for deleted", stack.namespace)
            typer.echo(f"deletion asked for; next: {wait}")
            return ExitCode.OK
        code, _ = await wait_for(stacks, stack.namespace, name, Goal.DELETED, seconds, session.console())
        return code


def _orphan_statement(stack: AIStack) -> str:
    return f"{stack.name}: only the AIStack goes; everything that it made stays as it is and runs on"


async def _orphan(client: Client, stacks: Stacks, live: Manifest) -> ExitCode:
    """Delete the AIStack without the operator's part.

    Our finalizer goes first, so that an operator that lives after all has as little time as possible to clean up.
    """
    namespace, name = live["metadata"]["namespace"], live["metadata"]["name"]
    await stacks.release(live)
    await stacks.delete(live)
    left = await stacks.find(namespace, name)
    if left is not None and left["metadata"]["uid"] == live["metadata"]["uid"]:
        await stacks.release(left)
    counts = await count_objects(client, namespace, name)
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing that you may list"
    typer.echo(f"left behind: {listed}\nlist them: {kubectl_list(namespace, name)}")
    return ExitCode.OK
