"""``aistack component check``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aistack.cli.exits import ExitCode
from aistack.cli.output import Output
from aistack.cli.session import session_of
from aistack.cli.voice import aside

CHECK_EPILOG = """\
[bold]Examples[/]

aistack component check                     the folder that you are in
aistack component check ./weaviate ./milvus
aistack component check ./weaviate --update write what its stacks in tests/ become; read the diff
aistack component check ./weaviate -o json  for editors and CI

The same checks as those of our own catalog: files, values, licence, images, contracts, templates in every size, and
tests/CASE/stack.yaml against the expected.yaml beside it. Ends with 1 if something is wrong. Needs no cluster.
"""


def check(
    ctx: typer.Context,
    named: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDERS]...", help="Folders of components or contracts; default: the current one."),
    ] = None,
    update: Annotated[bool, typer.Option("--update", help="Write tests/*/expected.yaml anew first.")] = False,
    output: Output = None,
) -> ExitCode:
    """Say what is wrong with a component's folder, by file and line."""
    from aistack.authoring.checks import Author
    from aistack.cli.checking import tell_problems

    base = replace(session_of(ctx), pieces=()).catalog()
    folders = named or [Path()]
    authors = [Author(folder, base) for folder in folders]
    for author in authors if update else ():
        for file in author.update():
            aside(f"{file}: written")
    problems = [problem for author in authors for problem in author.check()]
    return tell_problems(problems, ", ".join(map(str, folders)), output)
