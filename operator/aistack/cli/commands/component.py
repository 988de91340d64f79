"""``aistack component``: bring a component of one's own to a registry, and into a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aistack.api.conditions import ConditionType
from aistack.api.group import API_VERSION, PIECE_KIND
from aistack.cli.commands.authoring import CHECK_EPILOG, NEW_EPILOG, check, new
from aistack.cli.commands.trying import TEST_EPILOG, test
from aistack.cli.durations import Timeout, format_duration
from aistack.cli.exits import ExitCode
from aistack.cli.output import OutputFormat, print_objects
from aistack.cli.session import Session, session_of
from aistack.cli.voice import aside, complain
from aistack.objects.artifact import Reference, parse_reference
from aistack.objects.manifest import Manifest

if TYPE_CHECKING:
    from aistack.sources.registry import Access

EPILOG = """\
[bold]Examples[/]

aistack component new tiled --requires postgres --requires s3
aistack component check ./weaviate  is all in order? by file and line
aistack component push ./weaviate registry.example.com/ai/weaviate:1.30
aistack component install weaviate registry.example.com/ai/weaviate:1.30
aistack component test valkey  does it do what it promises? on a cluster, in a namespace of its own
"""
PUSH_EPILOG = """\
[bold]Examples[/]

docker login registry.example.com
aistack component push ./weaviate registry.example.com/ai/weaviate:1.30
aistack component push ./weaviate registry.example.com/ai/weaviate:1.30 --ca company.crt

Prints the reference with the digest, which is what 'aistack component install' and an AIComponent take.
"""
INSTALL_EPILOG = """\
[bold]Examples[/]

aistack component install weaviate registry.example.com/ai/weaviate:1.30
aistack component install weaviate registry.example.com/ai/weaviate@sha256:... --pull-secret registry-login
aistack component install mlflow registry.example.com/ai/mlflow:ours --replace components/mlflow
aistack component install weaviate registry.example.com/ai/weaviate:1.30 --dry-run > weaviate.yaml

Checks the artifact here, pins it by its digest and declares the kinds that it makes; then waits until stacks can use
it. Ends with 3 if that takes too long.
"""
PATIENCE = 60.0
"""Seconds to wait for the operator."""
_MADE_ANYWAY = {"NetworkPolicy"}
"""Kinds that no template makes."""
app = typer.Typer(name="component", epilog=EPILOG, no_args_is_help=True)
Plain = Annotated[bool, typer.Option("--plain-http", help="Speak to the registry without TLS.")]
Authority = Annotated[
    Path | None, typer.Option("--ca", help="File with the certificate of the registry's private authority.")
]


@app.callback()
def component() -> None:
    """Bring a component of your own, or somebody else's, to a registry and into a cluster, and try what it promises."""


app.command(epilog=NEW_EPILOG)(new)
app.command(epilog=CHECK_EPILOG)(check)
app.command(epilog=TEST_EPILOG)(test)


@app.command(epilog=PUSH_EPILOG)
def push(
    folder: Annotated[Path, typer.Argument(help="Folder of a component, a contract, or several of them.")],
    reference: Annotated[str, typer.Argument(help="Where to, e.g. registry.example.com/ai/weaviate:1.30.")],
    plain: Plain = False,
    ca: Authority = None,
) -> None:
    """Push a folder to a registry that you are logged in to, as an artifact that AIComponents name."""
    from aistack.cli.registries import access_of
    from aistack.pieces.artifact import to_artifact
    from aistack.sources.oci import push as push_artifact

    target, artifact = parse_reference(reference), to_artifact(folder)
    digest = asyncio.run(push_artifact(target, artifact, access_of(plain=plain, ca=ca)))
    typer.echo(str(target.pinned(digest)))


@app.command(epilog=INSTALL_EPILOG)
def install(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the AIComponent.")],
    reference: Annotated[str, typer.Argument(help="The artifact, by tag or digest.")],
    replaces: Annotated[
        list[str] | None,
        typer.Option(
            "--replace", help="What of the catalog it takes the place of, e.g. components/mlflow; repeatable."
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Kind that it makes besides those found, e.g. apps/Deployment; repeatable."),
    ] = None,
    pull_secret: Annotated[
        str, typer.Option("--pull-secret", help="Secret in the operator's namespace that opens the registry.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the AIComponent and write nothing.")] = False,
    plain: Plain = False,
    ca: Authority = None,
    timeout: Timeout = PATIENCE,
) -> ExitCode:
    """Install a component from a registry, for all stacks of the cluster."""
    from aistack.cli.registries import access_of

    session, asked = session_of(ctx), {"replaces": sorted(replaces or ())} if replaces else {}
    found, kinds = asyncio.run(
        _examined(session, parse_reference(reference), replaces or (), access_of(plain=plain, ca=ca))
    )
    spec: dict[str, Any] = {"artifact": str(found), "kinds": sorted({*kinds, *(kind or ())}), **asked}
    spec |= {"pullSecretRef": {"name": pull_secret}} if pull_secret else {}
    spec |= {"plainHttp": True} if plain else {}
    manifest = {"apiVersion": API_VERSION, "kind": PIECE_KIND, "metadata": {"name": name}, "spec": spec}
    if dry_run:
        print_objects([manifest], OutputFormat.YAML)
        return ExitCode.OK
    aside(f"it makes {', '.join(spec['kinds']) or 'nothing'}")
    return asyncio.run(_install(session, manifest, timeout))


async def _examined(
    session: Session, reference: Reference, replaces: Sequence[str], access: Access
) -> tuple[Reference, Iterable[str]]:
    """Pin an artifact, check it here, and return it with the kinds that it makes."""
    from aistack.pieces.given import obtain
    from aistack.pieces.loading import Wanted
    from aistack.planning.allowed import declared_kind
    from aistack.sources.oci import resolve

    pinned = reference if reference.digest else reference.pinned(await resolve(reference, access))
    wanted = Wanted(str(pinned), pinned, frozenset(replaces))
    _, found = await obtain(wanted, access, replace(session, pieces=()).catalog())
    return pinned, [declared_kind(kind) for kind in found.made if kind.kind not in _MADE_ANYWAY]


async def _install(session: Session, manifest: Manifest, seconds: float) -> ExitCode:
    from aistack.cli.pieces import Pieces, says

    async with session.client() as client:
        pieces = Pieces(client)
        found = await pieces.settled(await pieces.apply(manifest), seconds, aside)
    if says(found, ConditionType.READY):
        typer.echo(f"{found.name}: {found.status.message}")
        return ExitCode.OK
    late = "" if says(found, ConditionType.STALLED) else f"not usable after {format_duration(seconds)}: "
    return complain(f"{late}{found.status.message or 'no operator has looked at it'}", ExitCode.NOT_READY)
