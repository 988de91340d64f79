"""``aistack component test``."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from aistack.api.parse import suggest
from aistack.catalog.models import Catalog, Component
from aistack.cli.exits import ExitCode
from aistack.cli.output import Output, print_data
from aistack.cli.session import Session, session_of
from aistack.cli.voice import complain
from aistack.errors import InvalidError

TEST_EPILOG = """\
[bold]Examples[/]

aistack component test valkey                        on the current context's cluster, where the operator runs
aistack component test mytool --catalog ./manifests  one that you work on; the operator must have it too
aistack component test valkey -o json > valkey.json  a report for programs

Makes a namespace of its own and takes it away again. Takes minutes. Ends with 1 where a promise isn't kept.
"""


def test(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the component.")],
    registry: Annotated[str, typer.Option(help="Where the cluster pulls images from (spec.images.registry).")] = "",
    report: Annotated[Path | None, typer.Option(help="Write the report there, as JSON.")] = None,
    output: Output = None,
) -> ExitCode:
    """Try a component on a cluster, promise by promise: the conformance suite."""
    session = session_of(ctx)
    catalog = session.catalog()
    found = asyncio.run(_try(session, catalog, _find(catalog, name), registry, quiet=output is not None))
    if output:
        print_data(found, output)
    if report:
        report.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    failed = [step for step in found["steps"] if step["result"] == "failed" and step["tier"]]
    if failed:
        return complain(f"{name}: {len(failed)} of {len(found['steps'])} promises aren't kept")
    return ExitCode.OK


def _find(catalog: Catalog, name: str) -> Component:
    if name not in catalog.components:
        raise InvalidError(f"no component is named {name!r}; {suggest(name, catalog.components)}")
    return catalog.components[name]


async def _try(
    session: Session, catalog: Catalog, component: Component, registry: str, *, quiet: bool
) -> dict[str, Any]:
    from aistack.cli.conformance.combinations import combinations
    from aistack.cli.conformance.place import Place
    from aistack.cli.conformance.report import carry_out, report
    from aistack.cli.conformance.steps import Trial
    from aistack.cli.present.conformance import line_of, verdict
    from aistack.cli.stacks import Stacks

    images = {"registry": registry} if registry else {}
    lines = []
    async with session.client() as client:
        stacks = Stacks(client, session.command)
        place = Place(client, stacks, catalog, f"aistack-test-{component.name}", images)
        async with place.open():
            async for line in carry_out(Trial(place, component, combinations(catalog, component.name))):
                lines.append(line)
                if not quiet:
                    typer.echo(line_of(line))
        kubernetes = str((await client.version())["gitVersion"])
    found = report(component, lines, kubernetes, f"{datetime.now(UTC):%Y-%m-%d}")
    if not quiet:
        typer.echo(verdict(found))
    return found
