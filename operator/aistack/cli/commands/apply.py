"""``aistack apply``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from aistack.cli.durations import DEFAULT_TIMEOUT, Timeout
from aistack.cli.exits import ExitCode
from aistack.cli.files import StackDocument, read_stacks
from aistack.cli.present.advice import next_steps
from aistack.cli.present.stack import footprint_line
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.waiting import Goal, wait_for
from aistack.planning.plan import Planned
from aistack.surroundings import require_server

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack apply -f stack.yaml                       hand it to the operator
aistack apply -f stack.yaml --wait                and watch until all is ready
aistack apply -f stack.yaml --wait --timeout 20m
cat stack.yaml | aistack apply -f - -n ml

Ends with 3 if --wait waited in vain.
"""


@app.command(epilog=EPILOG)
def apply(
    ctx: typer.Context,
    file: Annotated[str, typer.Option("--file", "-f", help="File with AIStacks; - for standard input.")],
    wait: Annotated[bool, typer.Option("--wait", help="Watch until all is ready.")] = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
    force: Annotated[bool, typer.Option("--force", help="Take over fields that others own.")] = False,
) -> ExitCode:
    """Hand stacks to the operator, new or changed.

    Wrong input is refused before anything is sent.
    """
    session = session_of(ctx)
    documents = read_stacks(file, session.namespace, given=bool(session.given_namespace))
    catalog = session.catalog()
    planned = [document.plan(catalog) for document in documents]
    return asyncio.run(_apply(session, list(zip(documents, planned, strict=True)), timeout if wait else 0, force))


async def _apply(
    session: Session, documents: list[tuple[StackDocument, Planned]], seconds: float, force: bool
) -> ExitCode:
    async with session.client() as client:
        await require_server(client)
        stacks = Stacks(client, session.command)
        for document, planned in documents:
            _, changed = await stacks.apply(document.manifest, force=force)
            stack = document.stack
            typer.echo(f"{stack.name} in {stack.namespace} {'applied' if changed else 'unchanged'}")
            typer.echo(footprint_line(planned.footprint))
        codes = [await _finish(session, stacks, document, seconds) for document, _ in documents]
    return max(codes)


async def _finish(session: Session, stacks: Stacks, document: StackDocument, seconds: float) -> ExitCode:
    """Wait if asked to, and say what to do next."""
    stack = document.stack
    command = session.commands(stack.namespace)
    if not seconds:
        typer.echo(f"next: {command(f'wait {stack.name}')}")
        return ExitCode.OK
    code, last = await wait_for(stacks, stack.namespace, stack.name, Goal.READY, seconds, session.console())
    for step in next_steps(last, 0, command) if last else ():
        typer.echo(f"next: {step}")
    return code
