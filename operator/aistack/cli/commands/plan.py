"""``aistack plan``."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Annotated, Any

import typer
from rich.text import Text

from aistack.api.group import FIELD_MANAGER
from aistack.api.parse import parse_status
from aistack.api.spec import AIStack
from aistack.api.status import Footprint
from aistack.catalog.models import Catalog
from aistack.cli.exits import ExitCode
from aistack.cli.files import StackDocument, placed, read_stacks
from aistack.cli.output import Output, OutputFormat, print_data
from aistack.cli.present.changes import changes_data, changes_view
from aistack.cli.present.stack import footprint_line
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.voice import aside, complain
from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.preview import Preview
from aistack.cluster.settings import Settings
from aistack.cluster.shelf import Shelf
from aistack.errors import AIStackError, ClusterError
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.pipeline import Pipeline, always
from aistack.planning.plan import Planned
from aistack.releases.choice import chosen
from aistack.releases.store import Store
from aistack.settings import OPERATOR_NAMESPACE, engine_settings
from aistack.sharing import BINDING, Sharing

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack plan -f stack.yaml                 what applying it would change
aistack plan -f stack.yaml -o json         for programs
aistack plan -f stack.yaml > /dev/null     0: nothing, 2: changes, 1: an error
"""


@app.command(epilog=EPILOG)
def plan(
    ctx: typer.Context,
    file: Annotated[str, typer.Option("--file", "-f", help="File with AIStacks; - for standard input.")],
    operator_namespace: Annotated[
        str, typer.Option("--operator-namespace", help="Where the operator remembers what it made.")
    ] = OPERATOR_NAMESPACE,
    output: Output = None,
) -> ExitCode:
    """Show what applying a stack would change.

    First what it asks of the cluster: CPU, memory, storage.

    The API server itself is asked (server-side dry run); nothing is written.
    Secrets show how each key is made, never a value.
    """
    session = session_of(ctx)
    documents = read_stacks(file, session.namespace, given=bool(session.given_namespace))
    catalog = session.catalog()
    for document in documents:
        document.plan(catalog)
    previews = asyncio.run(_preview(session, documents, catalog, engine_settings(operator_namespace)))
    return _report(session, previews, output)


def _report(session: Session, previews: list[tuple[Planned, Preview]], output: OutputFormat | None) -> ExitCode:
    if output:
        print_data([_data(planned, preview) for planned, preview in previews], output)
    else:
        for planned, preview in previews:
            _show(session, planned, preview)
    errors = [complain(str(error)) for _, preview in previews for error in preview.errors]
    if errors:
        return ExitCode.ERROR
    return ExitCode.OK if all(preview.empty for _, preview in previews) else ExitCode.CHANGES


async def _preview(
    session: Session, documents: list[StackDocument], catalog: Catalog, settings: Settings
) -> list[tuple[Planned, Preview]]:
    async with session.client(FIELD_MANAGER) as client:
        stacks = Stacks(client, session.command)
        return [await _preview_one(client, stacks, document, catalog, settings) for document in documents]


async def _preview_one(
    client: Client, stacks: Stacks, document: StackDocument, catalog: Catalog, settings: Settings
) -> tuple[Planned, Preview]:
    stack = document.stack
    await _require_namespace(client, stack.namespace)
    live = await stacks.find(stack.namespace, stack.name)
    same = {"uid": live["metadata"]["uid"] if live else ""}
    stack = stack.model_copy(update={"metadata": stack.metadata.model_copy(update=same)})
    async with Engine(client, settings, watching=False) as engine:
        with placed(document.place):
            catalog = await _catalog(client, settings.namespace, stack, live, catalog)
            sharing = Sharing(client, Shelf(client, settings, BINDING, watching=False))
            return await Pipeline(client, engine, always(catalog), sharing).preview(stack)


async def _catalog(client: Client, home: str, stack: AIStack, live: Manifest | None, own: Catalog) -> Catalog:
    """Return the catalog that the operator plans a stack from; ours, and a word, where that can't be had."""
    status = parse_status(live.get("status")) if live else stack.status
    name = chosen(stack.model_copy(update={"status": status}), version("aistack"))
    if name == version("aistack"):
        return own
    try:
        return await Store(client, home).catalog(name)
    except AIStackError as error:
        aside(
            f"{stack.name} stays with release {name}; this shows what going on to this version's would change: {error}"
        )
        return own


async def _require_namespace(client: Client, name: str) -> None:
    """Say once that the namespace doesn't exist, not for each object."""
    if (await client.get(ObjectRef("v1", "Namespace", "", name))).status == 404:
        raise ClusterError(f"namespace {name!r} doesn't exist; kubectl create namespace {name}", 404, "NotFound")


def _show(session: Session, planned: Planned, preview: Preview) -> None:
    stack = planned.stack
    session.show(Text.assemble((stack.name, "bold"), f" in {stack.namespace} {footprint_line(planned.footprint)}"))
    session.show(changes_view(preview.changes))


def _data(planned: Planned, preview: Preview) -> dict[str, Any]:
    footprint: Footprint = planned.footprint
    return {
        "namespace": planned.stack.namespace,
        "name": planned.stack.name,
        "footprint": footprint.model_dump(by_alias=True),
        "changes": changes_data(preview.changes),
        "errors": [str(error) for error in preview.errors],
    }
