"""Taking a trial away: its own cluster, or what it brought to another one."""

from __future__ import annotations

import sys

import typer

from aistack.cli.exits import ExitCode
from aistack.cli.remains import deletion_statement
from aistack.cli.stacks import Stacks
from aistack.cli.standing import understood
from aistack.cli.trial.kind import KindCluster
from aistack.cli.trial.place import Place
from aistack.cli.trial.release import NAME, Release
from aistack.cli.trial.stack import find_stack
from aistack.cli.trial.steps import Steps
from aistack.cli.waiting import Goal, wait_for
from aistack.errors import ClusterError
from aistack.settings import OPERATOR_NAMESPACE


def remove_cluster(kind: KindCluster, steps: Steps, sure: bool) -> ExitCode:
    """Delete a kind cluster, after asking where somebody can answer.

    Raises:
        ToolError: kind can't.
    """
    if not kind.exists():
        typer.echo(f"there is no kind cluster {kind.name}: nothing to do")
        return ExitCode.OK
    if not sure and sys.stdin.isatty():
        typer.confirm(f"Delete the kind cluster {kind.name} with all data in it?", abort=True)
    with steps.step(f"the kind cluster {kind.name} is deleted, with all data in it", "some seconds", quiet=True):
        kind.delete()
    return ExitCode.OK


async def remove_stack(place: Place, steps: Steps, name: str, seconds: float) -> ExitCode:
    """Delete a stack, and then the operator unless others need it.

    Raises:
        AIStackError: the cluster or helm refuses.
    """
    session = place.session
    async with session.client() as client:
        stacks = Stacks(client, session.command)
        live = await find_stack(stacks, session.namespace, name)
        if live is not None:
            with steps.step(deletion_statement(understood(live)), "about 20 s"):
                await stacks.delete(live)
                code, _ = await wait_for(stacks, session.namespace, name, Goal.DELETED, seconds, session.console())
            if code is not ExitCode.OK:
                return code
        others = await _all_stacks(stacks)
    if others:
        typer.echo(f"the operator stays, as others need it: {', '.join(others)}")
        return ExitCode.OK
    with steps.step(f"the operator: release {NAME} in {OPERATOR_NAMESPACE} is uninstalled", "some seconds", quiet=True):
        Release(session).uninstall()
    return ExitCode.OK


async def _all_stacks(stacks: Stacks) -> list[str]:
    try:
        found = await stacks.list()
    except ClusterError as error:
        if error.status != 404:
            raise
        return []
    return [f"{live['metadata']['namespace']}/{live['metadata']['name']}" for live in found]
