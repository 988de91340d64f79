"""``aistack status``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from aistack.cli.durations import age
from aistack.cli.exits import ExitCode
from aistack.cli.output import Output, print_data, print_objects
from aistack.cli.present.advice import next_steps
from aistack.cli.present.stack import stack_view, stacks_table
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.standing import understood, unseen_for
from aistack.cli.voice import aside
from aistack.errors import InvalidError
from aistack.objects.manifest import Manifest

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack status                  all stacks of the namespace; one is shown in full
aistack status demo -n ml       one stack: components, bindings, what to do next
aistack status -A               all stacks of the cluster
aistack status demo -o json     the object itself
"""


@app.command(epilog=EPILOG)
def status(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the stack; default: all.")] = "",
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.")] = False,
    output: Output = None,
) -> ExitCode:
    """Show how stacks fare, and what to do next."""
    session = session_of(ctx)
    if name and everywhere:
        raise InvalidError(
            "NAME asks for one stack and -A for all; leave out one of them, or name the namespace with -n"
        )
    found = asyncio.run(_read(session, name, everywhere))
    if output and name:
        print_data(_shown(found[0]), output)
    elif output:
        print_objects((_shown(live) for live in found), output)
    elif name or len(found) == 1:
        _print_one(session, found[0])
    elif found:
        _print_all(session, found, everywhere)
    else:
        where = "this cluster" if everywhere else f"namespace {session.namespace!r}"
        aside(f"there is no AIStack in {where}; next: {session.command('apply -f FILE', session.namespace)}")
    return ExitCode.OK


async def _read(session: Session, name: str, everywhere: bool) -> list[Manifest]:
    async with session.client() as client:
        stacks = Stacks(client, session.command)
        if name:
            return [await stacks.get(session.namespace, name)]
        return await stacks.list("" if everywhere else session.namespace)


def _shown(live: Manifest) -> Manifest:
    """Leave out what only programs that manage fields want to know."""
    return {**live, "metadata": {k: v for k, v in live["metadata"].items() if k != "managedFields"}}


def _print_one(session: Session, live: Manifest) -> None:
    stack, now = understood(live), datetime.now(UTC)
    steps = next_steps(stack, unseen_for(live, now), session.commands(stack.namespace))
    session.show(stack_view(stack, now, steps))


def _print_all(session: Session, found: list[Manifest], everywhere: bool) -> None:
    now = datetime.now(UTC)
    ages = [age(live["metadata"].get("creationTimestamp"), now) for live in found]
    session.show(stacks_table([understood(live) for live in found], ages, everywhere))
    namespace = "NAMESPACE" if everywhere else session.namespace
    typer.echo(f"\n{session.command('status NAME', namespace)} shows one in full")
