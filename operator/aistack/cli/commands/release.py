"""``aistack release``: the catalog as an artifact that stacks stay with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aistack.catalog.locate import catalog_folder
from aistack.cli.exits import ExitCode
from aistack.cli.output import Output, OutputFormat, print_data
from aistack.cli.session import Session, session_of
from aistack.errors import InvalidError
from aistack.objects.artifact import parse_reference
from aistack.settings import OPERATOR_NAMESPACE

if TYPE_CHECKING:
    from aistack.releases.artifact import Release
    from aistack.releases.bill import Bill
    from aistack.sources.registry import Access

EPILOG = """\
[bold]Examples[/]

aistack release build                                                what this catalog is made of
aistack release build registry.example.com/ai/release:0.2.0          push it, and print its reference with the digest
aistack release diff registry.example.com/ai/release:0.1.0 packaged
aistack release install registry.example.com/ai/release:0.2.0        then write in a stack: spec.release: 0.2.0
aistack release list
"""
PACKAGED = "packaged"
"""What stands for the catalog in use."""
app = typer.Typer(name="release", epilog=EPILOG, no_args_is_help=True)
Plain = Annotated[bool, typer.Option("--plain-http", help="Speak to the registry without TLS.")]
Authority = Annotated[Path | None, typer.Option("--ca", help="File with the certificate of a private authority.")]
Home = Annotated[str, typer.Option("--operator-namespace", help="Where the operator is.")]


@app.callback()
def release() -> None:
    """Make, compare and install releases of the catalog; a stack stays with its own until its spec says otherwise."""


@app.command()
def build(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(help="Where to push it; default: only show it.")] = "",
    name: Annotated[str, typer.Option("--name", help="Of the release; default: this version's.")] = "",
    date: Annotated[str, typer.Option("--date", help="Of the release; default: today.")] = "",
    registry: Annotated[str, typer.Option("--registry", help="Registry to ask for the images' digests.")] = "",
    plain: Plain = False,
    ca: Authority = None,
    output: Output = None,
) -> None:
    """Make a release of the catalog, with a bill of materials."""
    from aistack.cli.registries import access_of
    from aistack.releases.artifact import build as make
    from aistack.sources.oci import push

    day = date or datetime.now(UTC).date().isoformat()
    made = make(catalog_folder(session_of(ctx).catalog_folder), name or version("aistack"), day)
    access = access_of(plain=plain, ca=ca)
    if registry:
        made = asyncio.run(_with_digests(made, registry.rstrip("/"), access))
    _show(session_of(ctx), made.bill, output)
    if reference:
        target = parse_reference(reference)
        typer.echo(str(target.pinned(asyncio.run(push(target, made.artifact(), access)))), err=bool(output))


@app.command()
def diff(
    ctx: typer.Context,
    before: Annotated[str, typer.Argument(help="Artifact, folder of a catalog, or 'packaged'.")],
    after: Annotated[str, typer.Argument(help="The same.")] = PACKAGED,
    plain: Plain = False,
    ca: Authority = None,
    output: Output = None,
) -> ExitCode:
    """Say what is other in a release: versions, images, tiers, contracts. Ends with 2 if something is."""
    from aistack.cli.registries import access_of
    from aistack.releases.bill import differences

    session, access = session_of(ctx), access_of(plain=plain, ca=ca)
    found = list(differences(*(_named(session, name, access).bill for name in (before, after))))
    if output:
        print_data(dict(found), output)
    else:
        for part, told in found:
            typer.echo(f"{part}: {told}")
    return ExitCode.CHANGES if found else ExitCode.OK


@app.command()
def install(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(help="The artifact, by tag or digest.")],
    home: Home = OPERATOR_NAMESPACE,
    plain: Plain = False,
    ca: Authority = None,
) -> None:
    """Give the operator a release that stacks can choose. Takes the right to write ConfigMaps in its namespace."""
    from aistack.cli.registries import access_of
    from aistack.releases.artifact import fetch
    from aistack.releases.store import Store

    found = asyncio.run(fetch(parse_reference(reference), access_of(plain=plain, ca=ca)))
    found.catalog()  # refuses what this version can't read

    async def write() -> None:
        async with session_of(ctx).client() as client:
            store = Store(client, home)
            known = await store.get(found.name)
            if known and known.packed != found.packed:
                raise InvalidError(f"there is another release {found.name!r}, and a name never changes its meaning")
            await store.keep(found)

    asyncio.run(write())
    typer.echo(f"next: write in a stack: spec.release: {found.name}")


@app.command("list")
def list_releases(ctx: typer.Context, home: Home = OPERATOR_NAMESPACE, output: Output = None) -> None:
    """List the releases that the operator has, and the stacks that run each."""
    from aistack.api.group import API_VERSION, KIND
    from aistack.objects.manifest import ObjectKind
    from aistack.releases.store import Store

    async def read() -> tuple[list[Bill], dict[str, list[str]]]:
        async with session_of(ctx).client() as client:
            bills = [release.bill for release in await Store(client, home).all()]
            running: dict[str, list[str]] = {}
            for live in (await client.list(ObjectKind(API_VERSION, KIND))).result()["items"]:
                name = live.get("status", {}).get("release", "")
                running.setdefault(name, []).append(f"{live['metadata']['namespace']}/{live['metadata']['name']}")
            return bills, running

    bills, running = asyncio.run(read())
    if output:
        print_data([{**b.model_dump(mode="json"), "stacks": running.get(b.name, [])} for b in bills], output)
        return
    from aistack.cli.present.table import PlainTable

    table = PlainTable("RELEASE", "DATE", "COMPONENTS", "STACKS")
    for bill in sorted(bills, key=lambda bill: (bill.date, bill.name)):
        table.add_row(bill.name, bill.date, str(len(bill.components)), ", ".join(running.get(bill.name, [])) or "-")
    session_of(ctx).show(table)


def _named(session: Session, name: str, access: Access) -> Release:
    """Return the release that a user names."""
    from aistack.releases.artifact import build as make
    from aistack.releases.artifact import fetch

    if name == PACKAGED or Path(name).is_dir():
        root = catalog_folder(session.catalog_folder if name == PACKAGED else Path(name))
        return make(root, version("aistack") if name == PACKAGED else name, "")
    return asyncio.run(fetch(parse_reference(name), access))


async def _with_digests(made: Release, registry: str, access: Access) -> Release:
    """Return a release whose bill has the digests of images, as a registry has them."""
    from dataclasses import replace

    from aistack.errors import RegistryError
    from aistack.sources.images import digest_at

    bill = made.bill.model_dump()
    images = [bill["runner"]]
    for component in bill["components"].values():
        images += component["images"].values()
    for image in images:
        there = parse_reference(f"{registry}/{image['reference'].partition('/')[2]}")
        try:
            image["digest"] = await digest_at(there, access)
        except RegistryError as error:
            if error.status != 404:
                raise
    return replace(made, bill=type(made.bill).model_validate(bill))


def _show(session: Session, bill: Bill, output: OutputFormat | None) -> None:
    if output:
        print_data(bill.model_dump(mode="json"), output)
        return
    from aistack.cli.present.table import PlainTable

    table = PlainTable("COMPONENT", "VERSION", "TIER", "IMAGES")
    for name, component in bill.components.items():
        images = (image.reference + (f"@{image.digest}" if image.digest else "") for image in component.images.values())
        table.add_row(name, component.version, component.tier or "-", ", ".join(images))
    table.add_row("-", "-", "-", f"{bill.runner.reference}{f'@{bill.runner.digest}' if bill.runner.digest else ''}")
    typer.echo(f"release {bill.name} of {bill.date}, catalog {bill.catalog}")
    session.show(table)
