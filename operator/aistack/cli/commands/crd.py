"""``aistack crd``."""

from __future__ import annotations

import typer

from aistack.api.crd import crd_yaml

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack crd | kubectl apply -f -         install or update it
kubectl explain aistack.spec             then the cluster explains every field
"""


@app.command(epilog=EPILOG)
def crd() -> None:
    """Print the definition that teaches a cluster what an AIStack is."""
    typer.echo(crd_yaml(), nl=False)
