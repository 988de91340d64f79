"""``aistack version``."""

from __future__ import annotations

from importlib.metadata import version as installed

import typer

from aistack.api.group import API_VERSION
from aistack.cli.output import Output, print_data
from aistack.cli.session import session_of

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack version
aistack version -o json | jq -r .catalog
"""


@app.command(epilog=EPILOG)
def version(ctx: typer.Context, output: Output = None) -> None:
    """Print versions: program, API, catalog."""
    digest = session_of(ctx).catalog().digest
    data = {"aistack": installed("aistack"), "api": API_VERSION, "catalog": digest}
    if output:
        print_data(data, output)
    else:
        typer.echo("\n".join(f"{name:<8} {value}" for name, value in data.items()))
