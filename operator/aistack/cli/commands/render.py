"""``aistack render``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aistack.cli.files import read_stacks
from aistack.cli.output import FormatOfObjects, OutputFormat, print_objects
from aistack.cli.rendering import manifests
from aistack.cli.session import session_of
from aistack.cli.splitting import write_split

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack render -f stack.yaml                  in the order of applying
aistack render -f stack.yaml -o json | jq .   as one List
cat stack.yaml | aistack render -f - -n ml    from standard input
aistack render -f stack.yaml | kubectl apply --dry-run=server -f -
aistack render -f stack.yaml --split deploy/  a file for each object, for Git
"""


@app.command(epilog=EPILOG)
def render(
    ctx: typer.Context,
    file: Annotated[str, typer.Option("--file", "-f", help="File with AIStacks; - for standard input.")],
    output: FormatOfObjects = OutputFormat.YAML,
    split: Annotated[
        Path | None,
        typer.Option(help="Folder for a file of each object; files of former runs are replaced, others left alone."),
    ] = None,
) -> None:
    """Print the Kubernetes objects of a stack. Needs no cluster.

    Secrets come without values; an annotation says how each key is made.
    Applied like that, a pod that needs a value doesn't start.
    """
    session = session_of(ctx)
    namespace = session.given_namespace or "default"
    documents = read_stacks(file, namespace, given=bool(session.given_namespace))
    catalog = session.catalog()
    plans = [document.plan(catalog).plan for document in documents]
    objects = (manifest for plan in plans for manifest in manifests(plan))
    if split is None:
        print_objects(objects, output)
        return
    written, removed = write_split(split, objects)
    gone = f", {removed} that are no longer rendered removed" if removed else ""
    typer.echo(f"{written} files in {split}{gone}")
