"""``aistack images``: list, build, load, push, and tell what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aistack.catalog.locate import catalog_folder
from aistack.cli.commands.mirroring import (
    LOCK_EPILOG,
    MIRROR_EPILOG,
    checked_registry,
    lock_images,
    mirror_images,
)
from aistack.cli.output import Output, print_data
from aistack.cli.session import Session, session_of
from aistack.cli.voice import aside
from aistack.errors import SpecError
from aistack.images import (
    BuildPlan,
    ImageState,
    build,
    built,
    default_cache,
    discover,
    load,
    open_workshop,
    plan_all,
    prune,
    push,
    sources_of,
    standard_plan,
    states,
    write_sbom,
)

EPILOG = """\
[bold]Examples[/]

aistack images list                      and what is built here
aistack images build                     what isn't built yet, base first
aistack images build mlflow              a component, and what it stands on
aistack images load --cluster aistack    into the nodes of a kind cluster
aistack images push --registry registry.example.com/ai
aistack images sbom mlflow               what is in an image, in CycloneDX's JSON
aistack images lock -f stack.yaml        all that a stack pulls, at any time
aistack images mirror registry.example.com/ai -f stack.yaml
"""
LIST_EPILOG = """\
[bold]Examples[/]

aistack images list
aistack images list mlflow -o json
"""
BUILD_EPILOG = """\
[bold]Examples[/]

aistack images build                              what isn't built yet
aistack images build postgres seaweedfs --fresh   these, anew
aistack images build weaviate --piece ./weaviate  one of a component of your own
aistack images build --builder buildah --platform linux/arm64
"""
LOAD_EPILOG = """\
[bold]Examples[/]

aistack images load --cluster aistack             all images that pods run
aistack images load mlflow --cluster aistack
aistack images load weaviate --piece ./weaviate   one of a component of your own
"""
PUSH_EPILOG = """\
[bold]Examples[/]

docker login registry.example.com
aistack images push --registry registry.example.com/ai

Then write in your stack: spec.images.registry: registry.example.com/ai
"""
SBOM_EPILOG = """\
[bold]Examples[/]

aistack images sbom mlflow > mlflow.cdx.json
aistack images sbom operator | jq -r '.components[].purl'
"""
app = typer.Typer(name="images", epilog=EPILOG, no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Images or components; default: all.")]
Platform = Annotated[str, typer.Option("--platform", help="Build for, e.g. linux/arm64; default: this machine's.")]


class BuilderName(StrEnum):
    """Which program builds."""

    AUTO = "auto"
    DOCKER = "docker"
    BUILDAH = "buildah"


Builder = Annotated[BuilderName, typer.Option("--builder", help="Which program builds.")]


@app.callback()
def images() -> None:
    """List, build, load and push container images; tell what is in them. Needs no cluster."""


@app.command("list", epilog=LIST_EPILOG)
def list_images(ctx: typer.Context, names: Names = None, platform: Platform = "", output: Output = None) -> None:
    """List the images: reference, and whether it is built here."""
    found = states(_plan(session_of(ctx), names, platform))
    if output:
        print_data([_data(state) for state in found], output)
        return
    from aistack.cli.present.images import images_table

    session_of(ctx).show(images_table(found))


@app.command("build", epilog=BUILD_EPILOG)
def build_images(
    ctx: typer.Context,
    names: Names = None,
    platform: Platform = "",
    builder: Builder = BuilderName.AUTO,
    fresh: Annotated[bool, typer.Option("--fresh", help="Build what is built already, too.")] = False,
) -> None:
    """Build images from packages, with Docker or buildah; no registry is needed.

    A build of all images removes the archives that it replaced.
    """
    session = session_of(ctx)
    plan = _plan(session, names, platform)
    with open_workshop(default_cache(), aside, engine=builder.value) as shop:
        _tell(build(plan, shop, fresh=fresh))
        if not names:
            _tell(f"{archive.name}: removed, replaced by a newer build" for archive in prune(_all_plans(session)))


@app.command("load", epilog=LOAD_EPILOG)
def load_images(
    ctx: typer.Context,
    names: Names = None,
    cluster: Annotated[str, typer.Option("--cluster", help="Name of the kind cluster.")] = "kind",
    platform: Platform = "",
) -> None:
    """Load built images into the nodes of a kind cluster."""
    _tell(load(_plan(session_of(ctx), names, platform), cluster=cluster))


@app.command("push", epilog=PUSH_EPILOG)
def push_images(
    ctx: typer.Context,
    registry: Annotated[str, typer.Option("--registry", help="Where to, e.g. registry.example.com/ai.")],
    names: Names = None,
    platform: Platform = "",
    builder: Builder = BuilderName.AUTO,
) -> None:
    """Push built images to a registry that you are logged in to.

    A name in a registry holds one platform: for nodes of two kinds, push to two registries or paths.
    """
    target = checked_registry(registry.rstrip("/"))
    plan = _plan(session_of(ctx), names, platform)
    built(plan)  # says what is missing before it waits for another build
    with open_workshop(default_cache(), aside, engine=builder.value) as shop:
        _tell(push(plan, shop, registry=target))
    typer.echo(f"next: set spec.images.registry to {target}")


@app.command("sbom", epilog=SBOM_EPILOG)
def print_sbom(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Image or component that is built here.")],
    platform: Platform = "",
) -> None:
    """Print what an image holds: its bill of materials, in CycloneDX's JSON.

    A build writes it beside the archive. It is read from the image: Debian's, Python's and npm's packages, Go modules.
    """
    plan = _plan(session_of(ctx), [name], platform)
    chosen = [step for step in plan.steps if step.image.known_as(name)]
    if len(chosen) > 1:
        raise SpecError("image", f"{name!r} has several", f"name one of {', '.join(s.image.name for s in chosen)}")
    typer.echo(write_sbom(chosen[0]).read_text("utf-8"), nl=False)


app.command("lock", epilog=LOCK_EPILOG)(lock_images)
app.command("mirror", epilog=MIRROR_EPILOG)(mirror_images)


def _plan(session: Session, names: list[str] | None, platform: str) -> BuildPlan:
    folders = [folder for piece in session.pieces if (folder := Path(piece)).is_dir()]
    return standard_plan(catalog_folder(session.catalog_folder), platform, folders).only(names or [])


def _all_plans(session: Session) -> list[BuildPlan]:
    found = discover(catalog_folder(session.catalog_folder))
    return plan_all(found, sources_of(found), cache=default_cache())


def _data(state: ImageState) -> dict[str, object]:
    step = state.step
    return {
        "name": step.image.name,
        "reference": step.image.reference,
        "platform": step.platform,
        "archive": str(step.archive),
        "built": state.built,
        "runs": step.image.runs,
        "bytes": state.size,
    }


def _tell(events: Iterable[object]) -> None:
    for event in events:
        typer.echo(str(event))
