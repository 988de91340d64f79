"""``aistack bind``."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Annotated

import typer

from aistack.api.binding import AIBinding
from aistack.api.conditions import ConditionType
from aistack.api.group import API_VERSION, BINDING_KIND
from aistack.api.labels import identity_labels
from aistack.api.parse import suggest
from aistack.catalog.models import Catalog
from aistack.cli.bindings import Bindings
from aistack.cli.durations import Timeout, format_duration
from aistack.cli.exits import ExitCode
from aistack.cli.output import OutputFormat, print_objects
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.voice import aside, complain
from aistack.errors import InvalidError
from aistack.objects.manifest import Manifest

app = typer.Typer()
PATIENCE = 300.0
EPILOG = """\
[bold]Examples[/]

aistack bind postgres report               a database for your app "report"
aistack bind s3 report-files --dry-run     the object, to keep in Git
kubectl delete aibinding report            ends its credentials; what it wrote stays

Waits until the credentials were proven by real work, then names their Secret. Ends with 3 if that takes too long.
"""


@app.command(epilog=EPILOG)
def bind(
    ctx: typer.Context,
    contract: Annotated[str, typer.Argument(help="What your app uses, e.g. postgres, s3 or mlflow.")],
    name: Annotated[str, typer.Argument(help="Name of the binding, e.g. your app's.")],
    stack: Annotated[str, typer.Option("--stack", help="Name of the stack, if there are several.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the AIBinding and write nothing.")] = False,
    timeout: Timeout = PATIENCE,
) -> ExitCode:
    """Give an app of your own its share of a stack: a database, a bucket or a login."""
    session = session_of(ctx)
    _require_contract(session.catalog(), contract)
    return asyncio.run(_bind(session, contract, name, stack, dry_run, timeout))


def _require_contract(catalog: Catalog, contract: str) -> None:
    if contract not in catalog.contracts:
        raise InvalidError(f"no contract is named {contract!r}; {suggest(contract, catalog.contracts)}")


async def _bind(session: Session, contract: str, name: str, stack: str, dry_run: bool, seconds: float) -> ExitCode:
    async with session.client() as client:
        live = await Stacks(client, session.command).only(session.namespace, stack)
        manifest = _manifest(name, session.namespace, live["metadata"]["name"], contract)
        if dry_run:
            print_objects([manifest], OutputFormat.YAML)
            return ExitCode.OK
        bindings = Bindings(client, session.namespace)
        made = await bindings.apply(manifest)
        return _result(await _ready(bindings, made, seconds), seconds)


def _manifest(name: str, namespace: str, stack: str, contract: str) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": BINDING_KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"stack": stack, "contract": contract},
    }


async def _ready(bindings: Bindings, made: AIBinding, seconds: float) -> AIBinding:
    """Follow a binding until it is ready, or a person must act, or the time is up; say what it says meanwhile."""
    last = made
    try:
        async with asyncio.timeout(seconds), aclosing(bindings.follow(made.name)) as looks:
            async for found in looks:
                if found.status.message != last.status.message and not _is(found, ConditionType.READY):
                    aside(found.status.message)
                last = found
                if _is(found, ConditionType.READY) or _is(found, ConditionType.STALLED):
                    return found
    except TimeoutError:
        pass
    return last


def _is(binding: AIBinding, kind: ConditionType) -> bool:
    status, generation = binding.status, binding.metadata.generation
    current = status.observed_generation == generation
    return current and any(c.type == kind and c.status == "True" for c in status.conditions)


def _result(found: AIBinding, seconds: float) -> ExitCode:
    status = found.status
    if not _is(found, ConditionType.READY):
        late = "" if _is(found, ConditionType.STALLED) else f"not done after {format_duration(seconds)}: "
        return complain(f"{late}{status.message or 'no operator has looked at it'}", ExitCode.NOT_READY)
    labels = identity_labels(found.spec.stack, status.identity)
    typer.echo(f"Secret   {status.binding.name if status.binding else ''}")
    typer.echo(f"labels   {', '.join(f'{key}: {value}' for key, value in labels.items())}")
    aside("mount the Secret in your app's pods, and give them these labels, which let them through to the provider")
    return ExitCode.OK
