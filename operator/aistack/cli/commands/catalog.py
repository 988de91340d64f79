"""``aistack catalog``: list, show and check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aistack.api.parse import suggest
from aistack.api.piece import AIComponent, BroughtComponent
from aistack.api.status import Footprint
from aistack.catalog.charts import ChartFacts
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import Catalog, Component, Contract, Profile
from aistack.catalog.tiers import tiers_of
from aistack.cli.exits import ExitCode
from aistack.cli.footprints import footprint_of
from aistack.cli.output import Output, print_data
from aistack.cli.session import Session, session_of
from aistack.cli.voice import complain
from aistack.errors import AIStackError, InvalidError
from aistack.rendering import shared_charts

LIST_EPILOG = """\
[bold]Examples[/]

aistack catalog                    profiles, components and contracts
aistack catalog --cluster          and what AIComponents bring: the source of each
aistack catalog show mlflow        versions, values, sizes, images
aistack catalog show s3            the keys of a contract
aistack catalog check              is all in order? by file and line
aistack catalog check ./manifests
"""
SHOW_EPILOG = """\
[bold]Examples[/]

aistack catalog show mlflow
aistack catalog show mlflow -o json | jq .values
aistack catalog show starter               a profile
aistack catalog show contracts/mlflow      the contract, not the component of that name
"""
CHECK_EPILOG = """\
[bold]Examples[/]

aistack catalog check              the catalog in use
aistack catalog check ./manifests  one that you work on
"""
Entry = Component | Profile | Contract
Brought = tuple[AIComponent, BroughtComponent]
"""What an AIComponent brings, and that one."""
app = typer.Typer(name="catalog", epilog=LIST_EPILOG, invoke_without_command=True)


@app.callback()
def catalog(
    ctx: typer.Context,
    output: Output = None,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="With what the cluster's AIComponents bring, and which of two wins.")
    ] = False,
) -> None:
    """Show what can be installed. Needs no cluster, but for --cluster."""
    if ctx.invoked_subcommand is not None:
        return
    session = session_of(ctx)
    found = session.catalog()
    brought = _brought(session) if cluster else {}
    tiers = _tiers(session, found)
    footprints = {name: footprint_of(profile, found) for name, profile in found.profiles.items()}
    if output:
        print_data(_listing(found, tiers, footprints) | _sources(found, brought), output)
        return
    from aistack.cli.present.catalog import catalog_view

    session.show(catalog_view(found, tiers, footprints, brought))


@app.command(epilog=SHOW_EPILOG)
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a component, profile or contract.")],
    output: Output = None,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="As the cluster has it: from an AIComponent's artifact, if one brings it.")
    ] = False,
) -> None:
    """Show a component's versions, values, sizes and images; a profile's footprint; a contract's keys."""
    from aistack.cli.present.catalog import component_data, component_view, origin_of
    from aistack.cli.present.entries import contract_data, contract_view, profile_data, profile_view

    session = session_of(ctx)
    if cluster and (brought := _brought(session).get(name.rpartition("/")[2])):
        session = replace(session, pieces=(*session.pieces, brought[0].status.artifact))
    found = session.catalog()
    match _entry(found, name):
        case Component() as component:
            tier = _tiers(session, found)[component.name]
            origin, facts = origin_of(found, f"components/{component.name}"), _facts(component)
            data, view = component_data(component, tier, origin), component_view(component, tier, origin, facts)
        case Profile() as profile:
            footprint = footprint_of(profile, found)
            data, view = profile_data(profile, footprint), profile_view(profile, footprint)
        case Contract() as contract:
            data, view = contract_data(contract, found), contract_view(contract, found)
    if output:
        print_data(data, output)
    else:
        session.show(view)


def _facts(component: Component) -> ChartFacts | None:
    """Look into a component's chart; that it can't be fetched now hides nothing else."""
    if component.chart is None:
        return None
    try:
        return shared_charts().facts(component.chart)
    except AIStackError as error:
        complain(str(error))
        return None


def _entry(found: Catalog, name: str) -> Entry:
    """Look a name up among components, profiles and contracts, or in the one that it is prefixed with."""
    folders: dict[str, Mapping[str, Entry]] = {
        "components": found.components,
        "profiles": found.profiles,
        "contracts": found.contracts,
    }
    folder, _, short = name.rpartition("/")
    for entries in [folders[folder]] if folder in folders else folders.values():
        if short in entries:
            return entries[short]
    known = {known for entries in folders.values() for known in entries}
    raise InvalidError(f"no component, profile or contract is named {name!r}; {suggest(short, known)}")


@app.command(epilog=CHECK_EPILOG)
def check(
    ctx: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="The catalog; default: the one in use.")] = None,
    output: Output = None,
) -> ExitCode:
    """Say what is wrong with a catalog, by file and line."""
    from aistack.authoring.checks import check_catalog
    from aistack.cli.checking import tell_problems

    root = catalog_folder(folder or session_of(ctx).catalog_folder)
    return tell_problems(check_catalog(root), str(root), output)


def _brought(session: Session) -> dict[str, Brought]:
    """Return the components that AIComponents of the cluster bring, by name, with the names of these."""
    import asyncio

    from aistack.cli.pieces import Pieces

    async def read() -> dict[str, Brought]:
        async with session.client() as client:
            pieces = [piece for piece in await Pieces(client).list() if piece.status.artifact]
        return {told.name: (piece, told) for piece in pieces for told in piece.status.components}

    return asyncio.run(read())


def _sources(found: Catalog, brought: Mapping[str, Brought]) -> dict[str, object]:
    """Return where components come from, by name: those of the catalog have no AIComponent."""
    if not brought:
        return {"origins": dict(found.origins)} if found.origins else {}
    return {
        "brought": {
            name: {
                "aicomponent": piece.name,
                "artifact": piece.status.artifact,
                "usedBy": list(piece.status.used_by),
                "replaces": name in found.components,
                **told.model_dump(mode="json", by_alias=True),
            }
            for name, (piece, told) in brought.items()
        }
    }


def _tiers(session: Session, found: Catalog) -> dict[str, str]:
    return tiers_of(catalog_folder(session.catalog_folder), found.components)


def _listing(found: Catalog, tiers: Mapping[str, str], footprints: Mapping[str, Footprint | None]) -> dict[str, object]:
    return {
        "digest": found.digest,
        "profiles": {
            p.name: {
                "about": p.about,
                "components": list(p.components),
                "footprint": f.model_dump(by_alias=True) if (f := footprints[p.name]) else None,
            }
            for p in found.profiles.values()
        },
        "components": {
            c.name: {
                "title": c.spec.title,
                "about": c.spec.about,
                "versions": list(c.spec.versions),
                "tier": tiers[c.name],
                "provides": [p.contract for p in c.spec.provides],
                "requires": [r.contract for r in c.spec.requires],
            }
            for c in found.components.values()
        },
        "contracts": {c.name: {"about": c.about, "keys": list(c.keys)} for c in found.contracts.values()},
    }
