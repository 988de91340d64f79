"""``aistack catalog``: list, show and check."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from aistack.api.parse import suggest
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import Catalog
from aistack.catalog.tiers import read_tiers, tier_of
from aistack.cli.exits import ExitCode
from aistack.cli.output import Output, print_data
from aistack.cli.session import Session, session_of
from aistack.errors import InvalidError

LIST_EPILOG = """\
[bold]Examples[/]

aistack catalog                    profiles, components and contracts
aistack catalog show mlflow        versions, values, sizes, images
aistack catalog check              is all in order? by file and line
aistack catalog check ./manifests
"""
SHOW_EPILOG = """\
[bold]Examples[/]

aistack catalog show mlflow
aistack catalog show mlflow -o json | jq .values
"""
CHECK_EPILOG = """\
[bold]Examples[/]

aistack catalog check              the catalog in use
aistack catalog check ./manifests  one that you work on
"""
app = typer.Typer(name="catalog", epilog=LIST_EPILOG, invoke_without_command=True)


@app.callback()
def catalog(ctx: typer.Context, output: Output = None) -> None:
    """Show what can be installed. Needs no cluster."""
    if ctx.invoked_subcommand is not None:
        return
    session = session_of(ctx)
    found = session.catalog()
    tiers = _tiers(session, found)
    if output:
        print_data(_listing(found, tiers), output)
        return
    from aistack.cli.present.catalog import catalog_view

    session.show(catalog_view(found, tiers))


@app.command(epilog=SHOW_EPILOG)
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the component.")],
    output: Output = None,
) -> None:
    """Show one component: versions, values, sizes, images."""
    from aistack.cli.present.catalog import component_data, component_view

    session = session_of(ctx)
    found = session.catalog()
    component = found.components.get(name)
    if component is None:
        raise InvalidError(f"no component is named {name!r}; {suggest(name, found.components)}")
    tier = _tiers(session, found)[name]
    if output:
        print_data(component_data(component, tier), output)
    else:
        session.show(component_view(component, tier))


@app.command(epilog=CHECK_EPILOG)
def check(
    ctx: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="The catalog; default: the one in use.")] = None,
    output: Output = None,
) -> ExitCode:
    """Say what is wrong with a catalog, by file and line."""
    from aistack.cli.checking import check_catalog

    root = catalog_folder(folder or session_of(ctx).catalog_folder)
    problems = check_catalog(root)
    if output:
        print_data([{"file": p.file, "line": p.line, "problem": p.problem} for p in problems], output)
    else:
        for problem in problems:
            typer.echo(str(problem))
        typer.echo(f"{len(problems)} problems in {root}" if problems else f"{root} is in order", err=bool(problems))
    return ExitCode.ERROR if problems else ExitCode.OK


def _tiers(session: Session, found: Catalog) -> dict[str, str]:
    report = read_tiers(catalog_folder(session.catalog_folder))
    return {name: tier_of(report, component) for name, component in found.components.items()}


def _listing(found: Catalog, tiers: Mapping[str, str]) -> dict[str, object]:
    return {
        "digest": found.digest,
        "profiles": {p.name: {"about": p.about, "components": list(p.components)} for p in found.profiles.values()},
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
