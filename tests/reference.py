"""docs/cli.md, made from the command line itself: what ``--help`` says, on one page."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from aistack.cli.app import build

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
INTRODUCTION = """\
<!-- Generated from the command line by 'make generate'; don't edit. -->

# The command line

`aistack`, or `kubectl aistack` once it is installed.
"""


def reference() -> tuple[Path, str]:
    """Return the page and its text."""
    root = get_command(build())
    sections = [INTRODUCTION, *_sections(root, typer.Context(root, info_name="aistack"))]
    return PAGE, "\n".join(sections)


def _sections(command: Any, ctx: Any) -> Iterator[str]:
    yield _section(command, ctx)
    for name, child in getattr(command, "commands", {}).items():
        yield from _sections(child, typer.Context(child, info_name=name, parent=ctx))


def _section(command: Any, ctx: Any) -> str:
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    records = [record for param in command.get_params(ctx) if (record := param.get_help_record(ctx))]
    parts = [f"## {ctx.command_path}\n", _plain(command.help), f"```\n{usage}\n```\n"]
    if records:
        rows = [f"| `{_cell(names)}` | {_cell(about)} |" for names, about in records]
        parts.append("\n".join(["| option | |", "|---|---|", *rows, ""]))
    if command.epilog:
        parts.append(_examples(command.epilog))
    return "\n".join(parts)


def _plain(text: str | None) -> str:
    return inspect.cleandoc(text or "") + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _examples(epilog: str) -> str:
    """Turn the bold titles of an epilog into Markdown's, and what stands under them into code."""
    blocks = inspect.cleandoc(epilog).split("\n\n")
    return "\n".join(_block(block, before) for before, block in pairwise(["", *blocks]))


def _block(block: str, before: str) -> str:
    if block.startswith("[bold]"):
        return f"**{block.removeprefix('[bold]').removesuffix('[/]')}**\n"
    return f"```\n{block}\n```\n" if before.startswith("[bold]") else f"{block}\n"
