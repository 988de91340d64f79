"""``aistack up``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from aistack.api.group import API_VERSION, KIND
from aistack.cli.durations import DEFAULT_TIMEOUT, Timeout
from aistack.cli.exits import ExitCode
from aistack.cli.session import session_of
from aistack.cli.trial.installing import bring_images, bring_operator
from aistack.cli.trial.place import bring_up, place_of
from aistack.cli.trial.stack import Trial
from aistack.cli.trial.steps import Steps
from aistack.objects.manifest import Manifest

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack up                                   a kind cluster, the operator, and the profile starter
aistack up --profile starter --name team
aistack up --current --registry registry.example.com/ai    in the cluster that kubectl reaches
aistack down                                 all of it away again

Run it again after anything: it goes on where it stopped, and changes nothing that is as it should be. A kind cluster
takes Docker (or Podman, nerdctl), kind and helm; another one takes helm, and a registry that its nodes pull from.
Ends with 3 if the stack wasn't proven in time.
"""


@app.command(epilog=EPILOG)
def up(
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", help="Name of the stack.")] = "demo",
    profile: Annotated[str, typer.Option("--profile", help="Which stack; aistack catalog lists them.")] = "starter",
    cluster: Annotated[str, typer.Option("--cluster", help="Name of the kind cluster.")] = "aistack",
    current: Annotated[bool, typer.Option("--current", help="In the current context; so does --context.")] = False,
    registry: Annotated[str, typer.Option("--registry", help="Where nodes pull images from.")] = "",
    config: Annotated[str, typer.Option("--kind-config", help="File with kind's configuration of a new one.")] = "",
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> ExitCode:
    """Try it: a cluster, the operator and a stack, proven by real work.

    The stack is in namespace ml, or where -n says.
    """
    session = session_of(ctx)
    place = place_of(session, cluster, current)
    trial = Trial.of(_manifest(name, place.session.namespace, profile, registry), session.catalog())
    steps = Steps(session.console())
    place = bring_up(place, steps, config)
    asyncio.run(trial.examine(place, steps))
    values = bring_images(place, steps, registry)
    asyncio.run(bring_operator(place, steps, values))
    return asyncio.run(trial.bring(place, steps, timeout))


def _manifest(name: str, namespace: str, profile: str, registry: str) -> Manifest:
    spec = {"profile": profile} | ({"images": {"registry": registry}} if registry else {})
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
