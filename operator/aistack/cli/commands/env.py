"""``aistack env``."""

from __future__ import annotations

import asyncio
import re
from shlex import quote
from typing import Annotated

import typer

from aistack.api.binding import AIBinding
from aistack.api.parse import suggest
from aistack.catalog.models import Contract
from aistack.cli.bindings import Bindings
from aistack.cli.exits import ExitCode
from aistack.cli.session import Session, session_of
from aistack.cli.voice import aside
from aistack.cluster.portforward import LOOPBACK
from aistack.errors import InvalidError
from aistack.objects.formats import fill_all

app = typer.Typer()
_INSIDE = re.compile(r"(?P<service>[^.]+)\.(?P<namespace>[^.]+)\.svc")
EPILOG = """\
[bold]Examples[/]

aistack bind postgres laptop             once: credentials of your own
aistack env postgres                     as your app in the cluster needs them
aistack env mlflow --local > .env        for this machine, through kubectl port-forward

Shows passwords, because you ask for them.
"""


@app.command(epilog=EPILOG)
def env(
    ctx: typer.Context,
    contract: Annotated[str, typer.Argument(help="What you use, e.g. postgres, s3 or mlflow.")],
    binding: Annotated[str, typer.Option("--binding", help="Name of the AIBinding, if there are several.")] = "",
    local: Annotated[bool, typer.Option("--local", help="Addresses of this machine, for a port-forward.")] = False,
) -> ExitCode:
    """Print the environment variables that open a share, for a .env file."""
    session = session_of(ctx)
    contracts = session.catalog().contracts
    if contract not in contracts:
        raise InvalidError(f"no contract is named {contract!r}; {suggest(contract, contracts)}")
    return asyncio.run(_env(session, contracts[contract], binding, local))


async def _env(session: Session, contract: Contract, name: str, local: bool) -> ExitCode:
    async with session.client() as client:
        bindings = Bindings(client, session.namespace)
        found = _only(await bindings.list(), contract.name, name, session)
        values = await bindings.values(found.status.binding.name if found.status.binding else "")
    if inside := _INSIDE.fullmatch(values["host"]):
        port = values["port"]
        forward = f"kubectl -n {inside['namespace']} port-forward service/{inside['service']} {port}:{port}"
        aside(
            f"run beside it: {forward}" if local else "addresses of the cluster; --local prints those of this machine"
        )
        values = _at_home(values, contract) if local else values
    for variable, key in contract.env.items():
        if key in values:
            typer.echo(f"{variable}={quote(values[key])}")
    return ExitCode.OK


def _only(found: list[AIBinding], contract: str, name: str, session: Session) -> AIBinding:
    """Return the binding that is meant.

    Raises:
        InvalidError: there is none, or several, or it isn't ready.
    """
    fitting = [b for b in found if b.spec.contract == contract and name in ("", b.name)]
    if not fitting:
        which = f"no AIBinding {name!r} for {contract}" if name else f"no AIBinding for {contract}"
        make = session.command(f"bind {contract} {name or 'laptop'}", session.namespace)
        raise InvalidError(f"namespace {session.namespace!r} has {which}; make one with: {make}")
    if len(fitting) > 1:
        names = ", ".join(b.name for b in fitting)
        raise InvalidError(f"there are several AIBindings for {contract}; name one with --binding: {names}")
    if fitting[0].status.binding is None:
        raise InvalidError(
            f"the AIBinding {fitting[0].name} isn't ready: {fitting[0].status.message or 'not seen yet'}"
        )
    return fitting[0]


def _at_home(values: dict[str, str], contract: Contract) -> dict[str, str]:
    """Return a share's values for a machine to which its port is forwarded."""
    plain = {key: value for key, value in values.items() if key not in contract.derived} | {"host": LOOPBACK}
    texts = {key: text for key, text in contract.derived.items() if key in values}
    return fill_all(plain, texts, f"contracts/{contract.name}")
