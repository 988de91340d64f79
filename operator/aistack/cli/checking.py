"""What commands say of problems that checks found."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from aistack.cli.exits import ExitCode
from aistack.cli.output import OutputFormat, print_data
from aistack.errors import CatalogError


def tell_problems(problems: Sequence[CatalogError], place: str, output: OutputFormat | None) -> ExitCode:
    """Print problems by file and line, and how many there are.

    Args:
        problems: what is wrong.
        place: what was checked.
        output: how programs want it.

    Returns:
        How the command ends.
    """
    if output:
        print_data([{"file": p.file, "line": p.line, "problem": p.problem} for p in problems], output)
    else:
        for problem in problems:
            typer.echo(str(problem))
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        typer.echo(f"{count} in {place}" if problems else f"{place} is in order", err=bool(problems))
    return ExitCode.ERROR if problems else ExitCode.OK
