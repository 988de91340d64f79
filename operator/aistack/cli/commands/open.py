"""``aistack open``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
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
aistack open mlflow --local             past the Ingress or Gateway of spec.expose
aistack open mlflow -o json             only the login, for a script
"""


@app.command(name="open", epilog=EPILOG)
def open_page(
    ctx: typer.Context,
    component: Annotated[str, typer.Argument(help="Component whose page to open.")],
    stack: Annotated[str, typer.Option("--stack", help="Name of the stack, if there are several.")] = "",
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port of this machine.")] = None,
    print_only: Annotated[bool, typer.Option("--print", help="Print login and command, and end.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Bring it here though it is exposed; so does --port.")] = False,
    output: Output = None,
) -> ExitCode:
    """Bring a component's page to this machine and print its login.

    A page that spec.expose puts behind an Ingress or a Gateway stays there: its address is printed. Shows a password,
    because you ask for it. With --output it only prints, as with --print.
    """
    session, wanted = session_of(ctx), _Wanted(component, stack, port, here=local or port is not None)
    try:
        if print_only or output:
            asyncio.run(_print(session, wanted, output))
        else:
            asyncio.run(_serve(session, wanted))
    except KeyboardInterrupt:
        aside("closed")
    return ExitCode.OK


@dataclass(frozen=True)
class _Wanted:
    """Which page, and where: ``here`` means on this machine, whether it is exposed or not."""

    component: str
    stack: str
    port: int | None
    here: bool

    def exposed(self, place: PagePlace) -> str:
        """Return the page's address where spec.expose puts it, empty where it is to be brought here."""
        return "" if self.here else place.url


async def _print(session: Session, wanted: _Wanted, output: OutputFormat | None) -> None:
    async with session.client() as client:
        place = await _place(session, client, wanted)
        login = await read_credentials(client, place)
    port, exposed = wanted.port or place.port, wanted.exposed(place)
    command = f"kubectl -n {place.stack.namespace} port-forward service/{place.service} {port}:{place.port}"
    url = exposed or _url(place, port)
    if output:
        print_data({"url": url, "username": login.username, "password": login.password, "command": command}, output)
    else:
        typer.echo(_introduction(place, login, url) + ("" if exposed else f"\nforward   {command}"))


async def _serve(session: Session, wanted: _Wanted) -> None:
    async with session.client() as client:
        place = await _place(session, client, wanted)
        login = await read_credentials(client, place)
        wait = session.command(f"wait {place.stack.name}", place.stack.namespace)
        find = partial(find_pod, client, place, wait)
        await find()  # says at once if there is none
        if exposed := wanted.exposed(place):
            typer.echo(_introduction(place, login, exposed))
            return
        local = wanted.port or free_port(place.port)
        async with port_forward(client, find, place.port, local, partial(_say_once, set())) as listening:
            typer.echo(f"{_introduction(place, login, _url(place, listening))}\nCtrl-C ends it")
            await asyncio.Event().wait()


async def _place(session: Session, client: Client, wanted: _Wanted) -> PagePlace:
    live = await Stacks(client, session.command).only(session.namespace, wanted.stack)
    return find_page(understood(live), session.catalog(), wanted.component)


def _introduction(place: PagePlace, login: Credentials, url: str) -> str:
    lines = [f"{place.page.title} of {place.stack.name}", f"URL       {url}"]
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
