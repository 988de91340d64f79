"""``aistack crd``."""

from __future__ import annotations

import typer

from aistack.api.crd import DEFINITIONS, all_crds_yaml, crd_manifest
from aistack.cli.output import FormatOfObjects, OutputFormat, print_objects

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack crd | kubectl apply --server-side -f -     install or update them
kubectl explain aistack.spec                       then the cluster explains every field
"""


@app.command(epilog=EPILOG)
def crd(output: FormatOfObjects = OutputFormat.YAML) -> None:
    """Print the definitions that teach a cluster what our kinds are: AIStack, AIBinding, AIComponent."""
    if output is OutputFormat.JSON:
        print_objects(map(crd_manifest, DEFINITIONS), output)
    else:
        typer.echo(all_crds_yaml(), nl=False)
