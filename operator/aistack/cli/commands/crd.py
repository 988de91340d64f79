"""``aistack crd``."""

from __future__ import annotations

import typer

from aistack.api.crd import crd_manifest, crd_yaml
from aistack.cli.output import FormatOfObjects, OutputFormat, print_data

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack crd | kubectl apply --server-side -f -     install or update it
kubectl explain aistack.spec                       then the cluster explains every field
"""


@app.command(epilog=EPILOG)
def crd(output: FormatOfObjects = OutputFormat.YAML) -> None:
    """Print the definition that teaches a cluster what an AIStack is."""
    if output is OutputFormat.JSON:
        print_data(crd_manifest(), output)
    else:
        typer.echo(crd_yaml(), nl=False)
