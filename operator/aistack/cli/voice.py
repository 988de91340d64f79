"""What is said on standard error: errors, and asides that aren't the result."""

from __future__ import annotations

import os

import typer

from aistack.cli.exits import ExitCode


def complain(message: str, code: ExitCode = ExitCode.ERROR) -> ExitCode:
    """Say what went wrong, in one line, and return the exit code."""
    plain = os.environ.get("NO_COLOR")
    typer.secho("error:", fg=typer.colors.RED, bold=True, nl=False, err=True, color=False if plain else None)
    typer.echo(f" {' '.join(message.split())}", err=True)
    return code


def aside(message: str) -> None:
    """Say something that isn't the result."""
    typer.echo(message, err=True)
