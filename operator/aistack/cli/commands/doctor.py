"""``aistack doctor``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from aistack.cli.doctor.finding import Case, Check, Finding, Mark
from aistack.cli.exits import ExitCode
from aistack.cli.footprints import footprint_of
from aistack.cli.output import Output, print_data
from aistack.cli.present.table import PlainTable
from aistack.cli.session import Session, session_of
from aistack.cli.voice import complain
from aistack.errors import AIStackError, InvalidError

if TYPE_CHECKING:
    from aistack.cluster.client import Client

app = typer.Typer()
STYLES = {Mark.OK: "green", Mark.WARN: "yellow", Mark.FAIL: "bold red", Mark.UNKNOWN: "dim"}
EPILOG = """\
[bold]Examples[/]

aistack doctor                    the current context and namespace
aistack doctor -n ml -o json      for your scripts

It reads only. Ends with 3 if a stack won't work as things are.
"""


@app.command(epilog=EPILOG)
def doctor(
    ctx: typer.Context,
    profile: Annotated[str, typer.Option(help="Profile that is to fit.")] = "starter",
    output: Output = None,
) -> ExitCode:
    """Find what would go wrong on this cluster, before it does."""
    session = session_of(ctx)
    found = asyncio.run(_examine(session, profile))
    if output:
        print_data([{**vars(finding), "mark": finding.mark.value} for finding in found], output)
    else:
        table = PlainTable("CHECK", "STATE", "MESSAGE")
        for finding in found:
            table.add_row(finding.check, Text(finding.mark, STYLES[finding.mark]), finding.text)
        session.show(table)
    if failed := [finding.check for finding in found if finding.mark is Mark.FAIL]:
        return complain(f"a stack won't work here yet: {', '.join(failed)}", ExitCode.NOT_READY)
    return ExitCode.OK


async def _examine(session: Session, profile: str) -> list[Finding]:
    from aistack.cli.doctor import api, nodes, place

    checks: tuple[Check, ...] = (
        api.version,
        api.definitions,
        api.rights,
        place.namespace,
        place.quota,
        place.storage,
        nodes.nodes,
        nodes.room,
        nodes.images,
        nodes.network,
        nodes.inotify,
    )
    async with session.client() as client:
        # That nobody answers is no finding: it would be each check's.
        case = _case(session, profile, client, await client.version())
        return list(await asyncio.gather(*(_look(check, case) for check in checks)))


async def _look(check: Check, case: Case) -> Finding:
    """Run one check; that it can't look is its finding."""
    try:
        return await check(case)
    except AIStackError as error:
        return Finding(check.__name__, Mark.UNKNOWN, str(error))


def _case(session: Session, profile: str, client: Client, version: Mapping[str, Any]) -> Case:
    from aistack.api.parse import suggest

    catalog = session.catalog()
    if profile not in catalog.profiles:
        raise InvalidError(f"no profile is named {profile!r}; {suggest(profile, catalog.profiles)}")
    footprint = footprint_of(catalog.profiles[profile], catalog)
    if footprint is None:
        raise InvalidError(f"the profile {profile!r} can't be planned; see aistack catalog check")
    components = [catalog.components[name] for name in catalog.profiles[profile].components]
    images = [image.reference() for component in components for image in component.spec.images.values()]
    wanted = frozenset([*images, catalog.runner.reference()])
    return Case(client, version, session.namespace, profile, footprint, wanted)
