"""``aistack prove``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import typer

from aistack.api.group import PROVE
from aistack.api.status import EdgeState, EdgeStatus
from aistack.cli.asking import carried_out, named_edges, request
from aistack.cli.durations import Timeout, format_duration
from aistack.cli.exits import ExitCode
from aistack.cli.output import OutputFormat, print_data
from aistack.cli.present.proofs import junit, proof_line, proofs_data, proofs_table, runs_of, tried
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.standing import understood
from aistack.cli.voice import complain

app = typer.Typer()
PATIENCE = 300.0
"""Seconds."""
EPILOG = """\
[bold]Examples[/]

aistack prove                       every connection of the namespace's stack
aistack prove mlflow/postgres       one: what MLflow does with its database
aistack prove --stack demo          of one stack of several
aistack prove -o junit > proof.xml  a report for your CI

Ends with 3 if a connection is broken, or wasn't tried in time.
"""


class Report(StrEnum):
    """How to print what was found."""

    JSON = "json"
    JUNIT = "junit"


Show = Callable[[Sequence[EdgeStatus], set[str]], None]
"""Shows edges, and the names of those that were tried."""


@dataclass
class Found:
    """What proofs came to."""

    stack: str
    edges: Sequence[EdgeStatus]
    done: set[str] = field(default_factory=set)
    in_time: bool = True

    @property
    def broken(self) -> list[str]:
        """Names of the edges that did not work."""
        return [edge.name for edge in self.edges if edge.state is not EdgeState.PROVEN]


@app.command(epilog=EPILOG)
def prove(
    ctx: typer.Context,
    edge: Annotated[str, typer.Argument(help="Connection, as CONSUMER/CONTRACT; default: all.")] = "",
    stack: Annotated[str, typer.Option("--stack", help="Name of the stack, if there are several.")] = "",
    timeout: Timeout = PATIENCE,
    output: Annotated[
        Report | None, typer.Option("--output", "-o", help="Print it for programs: json or junit.", show_default=False)
    ] = None,
) -> ExitCode:
    """Test every connection by doing real work."""
    session = session_of(ctx)
    found = asyncio.run(_prove(session, edge, stack, timeout, quiet=output is not None))
    if output is Report.JSON:
        print_data(proofs_data(found.edges, found.done), OutputFormat.JSON)
    elif output is Report.JUNIT:
        typer.echo(junit(found.stack, found.edges, found.done))
    if not found.in_time:
        missing = [e for e in found.edges if e.name not in found.done]
        why = "; ".join(f"{e.name} ({e.message or e.state})" for e in missing)
        return complain(f"not tried within {format_duration(timeout)}: {why}", ExitCode.NOT_READY)
    if found.broken:
        return complain(f"{len(found.broken)} of {len(found.edges)} connections failed", ExitCode.NOT_READY)
    return ExitCode.OK


async def _prove(session: Session, name: str, stack: str, seconds: float, *, quiet: bool) -> Found:
    async with session.client() as client:
        stacks = Stacks(client, session.command)
        live = await stacks.only(session.namespace, stack)
        edges = named_edges(understood(live), name)
        found, before = Found(live["metadata"]["name"], edges), runs_of(edges)
        with _showing(session, quiet) as show:
            show(edges, set())
            try:
                asked = request(name)
                async for now, all_done in carried_out(
                    stacks, live, PROVE, asked, lambda s: s.status.last_handled_prove, seconds
                ):
                    found.edges = [e for e in now.status.edges if e.name in before]
                    found.done = set(before) if all_done else tried(found.edges, before)
                    show(found.edges, found.done)
            except TimeoutError:
                found.in_time = False
    return found


@contextmanager
def _showing(session: Session, quiet: bool) -> Iterator[Show]:
    """Show edges in a live table, line by line where the output is no terminal, or not at all."""
    console = session.console()
    if quiet:
        yield lambda edges, done: None
    elif console.is_terminal:
        from rich.live import Live

        with Live(console=console, refresh_per_second=8) as drawn:
            yield lambda edges, done: drawn.update(proofs_table(edges, done))
    else:
        yield _Lines().show


@dataclass
class _Lines:
    """Tells once of each edge that was tried, and before that how many there are."""

    told: set[str] | None = None

    def show(self, edges: Sequence[EdgeStatus], done: set[str]) -> None:
        """Tell what is news."""
        if self.told is None:
            self.told = set()
            typer.echo(f"connections tried by real work: {len(edges)}", err=True)
        for edge in edges:
            if edge.name in done - self.told:
                self.told.add(edge.name)
                typer.echo(proof_line(edge))
