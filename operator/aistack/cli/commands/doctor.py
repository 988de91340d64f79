"""``aistack doctor``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from aistack.cli.doctor.examine import examine
from aistack.cli.doctor.finding import Mark
from aistack.cli.exits import ExitCode
from aistack.cli.output import Output, print_data
from aistack.cli.present.table import PlainTable
from aistack.cli.session import session_of
from aistack.cli.voice import complain

app = typer.Typer()
STYLES = {Mark.OK: "green", Mark.WARN: "yellow", Mark.FAIL: "bold red", Mark.UNKNOWN: "dim"}
EPILOG = """\
[bold]Examples[/]

aistack doctor                    the current context and namespace
aistack doctor -n ml -o json      for your scripts

It reads only. Ends with 3 if a stack won't work as things are.
"""


@app.command(epilog=EPILOG)
def doctor(
    ctx: typer.Context,
    profile: Annotated[str, typer.Option(help="Profile that is to fit.")] = "starter",
    output: Output = None,
) -> ExitCode:
    """Find what would go wrong on this cluster, before it does."""
    session = session_of(ctx)
    found = asyncio.run(examine(session, profile))
    if output:
        print_data([{**vars(finding), "mark": finding.mark.value} for finding in found], output)
    else:
        table = PlainTable("CHECK", "STATE", "MESSAGE")
        for finding in found:
            table.add_row(finding.check, Text(finding.mark, STYLES[finding.mark]), finding.text)
        session.show(table)
    if failed := [finding.check for finding in found if finding.mark is Mark.FAIL]:
        return complain(f"a stack won't work here yet: {', '.join(failed)}", ExitCode.NOT_READY)
    return ExitCode.OK
