"""``aistack open``."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

import typer

from aistack.cli.exits import ExitCode
from aistack.cli.output import Output, OutputFormat, print_data
from aistack.cli.pages import Credentials, PagePlace, find_page, find_pod, read_credentials
from aistack.cli.session import Session, session_of
from aistack.cli.stacks import Stacks
from aistack.cli.standing import understood
from aistack.cli.voice import aside
from aistack.cluster.client import Client
from aistack.cluster.portforward import LOOPBACK, free_port, port_forward
from aistack.errors import AIStackError

app = typer.Typer()
EPILOG = """\
[bold]Examples[/]

aistack open mlflow                     a page in your browser; Ctrl-C ends it
aistack open jupyterhub --stack demo    of one stack of several
aistack open mlflow --port 8080         on that port of this machine
aistack open mlflow -o json             only the login, for a script
"""


@app.command(name="open", epilog=EPILOG)
def open_page(
    ctx: typer.Context,
    component: Annotated[str, typer.Argument(help="Component whose page to open.")],
    stack: Annotated[str, typer.Option("--stack", help="Name of the stack, if there are several.")] = "",
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port of this machine.")] = None,
    print_only: Annotated[bool, typer.Option("--print", help="Print login and command, and end.")] = False,
    output: Output = None,
) -> ExitCode:
    """Bring a component's page to this machine and print its login.

    Shows a password, because you ask for it. With --output it only prints, as with --print.
    """
    session = session_of(ctx)
    try:
        if print_only or output:
            asyncio.run(_print(session, component, stack, output))
        else:
            asyncio.run(_serve(session, component, stack, port))
    except KeyboardInterrupt:
        aside("closed")
    return ExitCode.OK


async def _print(session: Session, component: str, stack: str, output: OutputFormat | None) -> None:
    async with session.client() as client:
        place = await _place(session, client, component, stack)
        login = await read_credentials(client, place)
    port, namespace = place.port, place.stack.namespace
    command = f"kubectl -n {namespace} port-forward service/{place.service} {port}:{port}"
    if output:
        url = _url(place, port)
        print_data({"url": url, "username": login.username, "password": login.password, "command": command}, output)
    else:
        typer.echo(f"{_introduction(place, login, port)}\nforward   {command}")


async def _serve(session: Session, component: str, stack: str, port: int | None) -> None:
    async with session.client() as client:
        place = await _place(session, client, component, stack)
        login = await read_credentials(client, place)
        wait = session.command(f"wait {place.stack.name}", place.stack.namespace)
        await find_pod(client, place, wait)  # says at once if there is none
        local = port or free_port(place.port)
        say = partial(_say_once, set())
        async with port_forward(client, partial(find_pod, client, place, wait), place.port, local, say) as listening:
            typer.echo(f"{_introduction(place, login, listening)}\nCtrl-C ends it")
            await asyncio.Event().wait()


async def _place(session: Session, client: Client, component: str, name: str) -> PagePlace:
    live = await Stacks(client, session.command).only(session.namespace, name)
    return find_page(understood(live), session.catalog(), component)


def _introduction(place: PagePlace, login: Credentials, port: int) -> str:
    lines = [f"{place.page.title} of {place.stack.name}", f"URL       {_url(place, port)}"]
    if login.username or login.password:
        lines += [f"user      {login.username}", f"password  {login.password}"]
    return "\n".join(lines)


def _url(place: PagePlace, port: int) -> str:
    return f"http://{LOOPBACK}:{port}{place.page.path}"


def _say_once(said: set[str], error: AIStackError) -> None:
    """Browsers try again many times; the same trouble is told once."""
    if str(error) not in said:
        said.add(str(error))
        aside(str(error))
