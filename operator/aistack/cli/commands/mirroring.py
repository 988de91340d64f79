"""``aistack images lock`` and ``mirror``: what stacks pull, listed and brought to a registry of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aistack.api.group import API_VERSION, KIND
from aistack.api.parse import parse_stack
from aistack.cli.output import Output, print_data
from aistack.cli.session import Session, session_of
from aistack.errors import InvalidError
from aistack.objects.artifact import parse_reference

if TYPE_CHECKING:
    from aistack.cli.files import StackDocument

LOCK_EPILOG = """\
[bold]Examples[/]

aistack images lock -f stack.yaml                            images, and what each is for
aistack images lock -f stack.yaml --digests -o yaml > images.lock.yaml

Images of pods that tools start later (notebooks, jobs) and of claims and proofs are among them. Digests are asked of
the registries; an image that isn't there has none.
"""
MIRROR_EPILOG = """\
[bold]Examples[/]

docker login registry.example.com
aistack images mirror registry.example.com/ai -f stack.yaml
aistack images mirror registry.example.com/ai -f stack.yaml --from other.example.com/ai --ca company.crt
aistack images mirror registry.example.com/ai -f stack.yaml --cluster              AIComponents' artifacts, too
aistack images mirror registry.example.com/ai --artifact ghcr.io/acme/chart:1.2    a chart, an artifact, any image

Then write in your stack: spec.images.registry: registry.example.com/ai
"""
File = Annotated[str, typer.Option("--file", "-f", help="File with AIStacks; - for standard input.")]
Plain = Annotated[bool, typer.Option("--plain-http", help="Speak to registries without TLS.")]
Authority = Annotated[Path | None, typer.Option("--ca", help="File with the certificate of a private authority.")]


def lock_images(
    ctx: typer.Context,
    file: File,
    digests: Annotated[bool, typer.Option("--digests", help="Ask the registries for the images' digests.")] = False,
    plain: Plain = False,
    ca: Authority = None,
    output: Output = None,
) -> None:
    """List every image that stacks pull, also those that their tools start at run time."""
    from aistack.cli.airgap import lock, with_digests
    from aistack.cli.present.images import lock_data, lock_table
    from aistack.cli.registries import access_of

    session = session_of(ctx)
    found = lock(_stacks(session, file), session.catalog())
    if digests:
        import asyncio

        found = asyncio.run(with_digests(found, access_of(plain=plain, ca=ca)))
    if output:
        print_data({"images": [lock_data(item) for item in found]}, output)
    else:
        session.show(lock_table(found))


def mirror_images(
    ctx: typer.Context,
    registry: Annotated[str, typer.Argument(help="Where to, e.g. registry.example.com/ai.")],
    file: Annotated[str, typer.Option("--file", "-f", help="File with AIStacks whose images to copy.")] = "",
    origin: Annotated[str, typer.Option("--from", help="Registry to copy from; default: the published place.")] = "",
    artifact: Annotated[
        list[str] | None, typer.Option("--artifact", help="Image, chart or artifact to copy as well; repeatable.")
    ] = None,
    cluster: Annotated[bool, typer.Option("--cluster", help="Copy what the cluster's AIComponents name.")] = False,
    plain: Plain = False,
    ca: Authority = None,
) -> None:
    """Copy all that stacks pull to a registry of your own: images, AIComponents' artifacts, charts.

    What is there already isn't sent again; everything keeps its digest.
    """
    import asyncio

    from aistack.cli.airgap import lock, mirror
    from aistack.cli.registries import access_of, artifacts_of_cluster

    session, target = session_of(ctx), checked_registry(registry.rstrip("/"))
    images = lock(_stacks(session, file), session.catalog()) if file else []
    artifacts = [parse_reference(name) for name in artifact or ()]
    access = access_of(plain=plain, ca=ca)

    async def run() -> None:
        brought = await artifacts_of_cluster(session) if cluster else []
        if not (images or artifacts or brought):
            raise InvalidError("nothing is named to copy; give -f FILE, --artifact REFERENCE or --cluster")
        published = [parse_reference(item.image.published) for item in images]
        async for copied in mirror(published, target, access, origin.rstrip("/")):
            typer.echo(str(copied.target))
        async for copied in mirror([*artifacts, *brought], target, access):
            typer.echo(str(copied.target))

    asyncio.run(run())
    if images:
        typer.echo(f"next: set spec.images.registry to {target}", err=True)


def _stacks(session: Session, file: str) -> list[StackDocument]:
    from aistack.cli.files import read_stacks

    return read_stacks(file, session.namespace, given=bool(session.given_namespace))


def checked_registry(registry: str) -> str:
    """Hold a registry to the rules of the field that it is meant for.

    Raises:
        SpecError: it is none.
    """
    spec = {"profile": "any", "images": {"registry": registry}}
    parse_stack({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "any"}, "spec": spec})
    return registry
