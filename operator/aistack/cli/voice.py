"""What is said on standard error: errors, and asides that aren't the result."""

from __future__ import annotations

import os
from textwrap import indent

import typer

from aistack.cli.exits import ExitCode


def complain(message: str, code: ExitCode = ExitCode.ERROR, *, output: str = "") -> ExitCode:
    """Say what went wrong, in one line, and return the exit code.

    Args:
        message: what is wrong, and what to do.
        code: how the command ends.
        output: what a program that failed said last; its lines are kept.
    """
    plain = os.environ.get("NO_COLOR")
    typer.secho("error:", fg=typer.colors.RED, bold=True, nl=False, err=True, color=False if plain else None)
    typer.echo(f" {' '.join(message.split())}", err=True)
    if output:
        typer.echo(indent(output, "  "), err=True)
    return code


def aside(message: str) -> None:
    """Say something that isn't the result."""
    typer.echo(message, err=True)
