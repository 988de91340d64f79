"""``aistack debug``: what it takes to find out what is wrong."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from aistack.api.group import API_VERSION
from aistack.cli.exits import ExitCode
from aistack.cli.session import Session, session_of
from aistack.cli.voice import aside
from aistack.errors import AIStackError, InvalidError
from aistack.settings import OPERATOR_NAMESPACE

GROUP_EPILOG = """\
[bold]Examples[/]

aistack debug bundle demo -n ml    states, logs and Events of a stack, for a bug report
"""
app = typer.Typer(name="debug", epilog=GROUP_EPILOG, no_args_is_help=True)
EPILOG = """\
[bold]Examples[/]

aistack debug bundle demo -n ml                  for a bug report
aistack debug bundle --file /tmp/ml.tar.gz       all stacks of the namespace

It reads only. Values of Secrets never get in: the Secrets are listed by their keys, and their values are taken out of
logs and all else. Without the right to read Secrets, logs of the stack's pods are left out.
"""
README = """\
A debug bundle of AIStack: stacks ({stacks}) of namespace {namespace}, made {time}.

Secrets are listed by name and keys. {scrubbed} Look through it before you pass it on all the same.

stacks/ bindings.yaml     what was asked for, and what the operator says of it
objects/                  the stacks' objects: names, states, who owns which fields
inventories/              what the operator remembers of them
pods/                     states and ends of logs
events.yaml               news of the namespace
operator/                 the operator's pods, logs and Lease
doctor.yaml versions.yaml the cluster
left-out.txt              what could not be had, and why
"""
SIGHTED = "{number} values, and other ways to write them, were looked for and replaced by ***."
BLIND = "They could not be read, so logs of stacks' pods, Events' messages and annotations' values were left out."


@app.callback()
def debug() -> None:
    """Collect what it takes to find out what is wrong."""


@app.command(epilog=EPILOG)
def bundle(
    ctx: typer.Context,
    stack: Annotated[str, typer.Argument(help="Name of the AIStack; default: all of the namespace.")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="Where to write it; it must not exist yet.")] = None,
    operator_namespace: Annotated[str, typer.Option(help="Where the operator runs.")] = OPERATOR_NAMESPACE,
) -> ExitCode:
    """Collect states, logs and Events in a tar.gz, without secrets, for a bug report."""
    session = session_of(ctx)
    root = f"aistack-{session.namespace}-{stack or 'all'}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    target = file or Path(f"{root}.tar.gz")
    if target.exists():
        raise InvalidError(f"{target} exists; name another file with --file")
    number, left_out = asyncio.run(_collect(session, stack, operator_namespace, root, target))
    if left_out:
        aside(f"left out: {left_out}, see left-out.txt in it")
    typer.echo(f"{target}: {number} files, no values of Secrets")
    return ExitCode.OK


async def _collect(session: Session, stack: str, operator: str, root: str, target: Path) -> tuple[int, int]:
    from aistack.cli.bundle.archive import Archive
    from aistack.cli.bundle.collect import Collection
    from aistack.cli.bundle.scrub import Scrubber
    from aistack.cli.bundle.secrets import plain_keys, values_in
    from aistack.cli.stacks import Stacks

    async with session.client() as client:
        stacks = Stacks(client, session.command)
        found = [await stacks.get(session.namespace, stack)] if stack else await stacks.list(session.namespace)
        names = tuple(live["metadata"]["name"] for live in found)
        values = await values_in(client, [session.namespace])
        archive = Archive(root, Scrubber(values or (), plain_keys(session.catalog())))
        if values is None:
            archive.note(BLIND)
        await Collection(client, archive, session.namespace, names, operator, values is not None).all()
        server = await client.version()
    versions = {
        "aistack": version("aistack"),
        "api": API_VERSION,
        "catalog": session.catalog().digest,
        "server": server,
    }
    archive.add_data("versions.yaml", {**versions, "server": dict(server)})
    archive.add_data("doctor.yaml", await _findings(session))
    archive.add("README.txt", _readme(session.namespace, names, archive.needles if values is not None else None))
    return archive.write(target), len(archive.left_out)


async def _findings(session: Session) -> list[dict[str, str]]:
    from aistack.cli.doctor.examine import examine

    profiles = list(session.catalog().profiles)
    try:
        found = await examine(session, "starter" if "starter" in profiles else profiles[0])
    except AIStackError as error:
        return [{"check": "doctor", "mark": "unknown", "message": str(error)}]
    return [{**vars(finding), "mark": finding.mark.value} for finding in found]


def _readme(namespace: str, stacks: tuple[str, ...], needles: int | None) -> str:
    scrubbed = BLIND if needles is None else SIGHTED.format(number=needles)
    time = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return README.format(stacks=", ".join(stacks) or "none", namespace=namespace, time=time, scrubbed=scrubbed)
