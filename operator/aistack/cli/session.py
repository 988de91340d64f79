"""Session: what the global options say, and what commands make of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, cast

import typer

from aistack.cli.kubeconfig import context_namespace, require_credentials

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from aistack.catalog.models import Catalog
    from aistack.cluster.client import Client

Command = Callable[[str], str]
"""Writes a command to type next, from its words."""
FIELD_MANAGER = "aistack-cli"
"""Owns the fields of AIStacks that ``apply`` sends; the operator's own manager owns the objects made from them."""
PLAIN_WIDTH = 1000
"""Columns of output that isn't a terminal: nothing is wrapped or cut in a file or a pipe."""


@dataclass(frozen=True)
class Session:
    """What the global options say; empty: not given."""

    prog: str = "aistack"
    catalog_folder: Path | None = None
    kubeconfig: str = ""
    context: str = ""
    given_namespace: str = ""
    pieces: tuple[str, ...] = ()
    """Folders and references of pieces that are added to the catalog."""

    @property
    def namespace(self) -> str:
        """The namespace to look in: as given, else the kubeconfig context's, else ``default``."""
        return self.given_namespace or self.usual_namespace

    @property
    def usual_namespace(self) -> str:
        """The namespace that commands without ``-n`` look in."""
        return context_namespace(self.kubeconfig, self.context) or "default"

    def command(self, words: str, namespace: str = "") -> str:
        """Write a command to type next: with the global options that this one had, and the namespace where needed."""
        pieces = (("--piece", piece) for piece in self.pieces)
        given = (
            ("--catalog", self.catalog_folder),
            *pieces,
            ("--kubeconfig", self.kubeconfig),
            ("--context", self.context),
        )
        options = [f"{name} {quote(str(value))}" for name, value in given if value]
        if namespace and namespace != self.usual_namespace:
            options.append(f"-n {namespace}")
        return " ".join([self.prog, words, *options])

    def commands(self, namespace: str) -> Command:
        """Return what writes commands for one namespace."""
        return lambda words: self.command(words, namespace)

    def catalog(self) -> Catalog:
        """Load the catalog, and the pieces that are named.

        Raises:
            CatalogError: there is none, or a file is wrong.
            AIStackError: a piece can't be had, or doesn't fit.
        """
        from aistack.catalog.loader import load_catalog

        base = load_catalog(self.catalog_folder)
        if not self.pieces:
            return base
        from aistack.pieces.given import with_pieces

        return with_pieces(base, self.pieces)

    @asynccontextmanager
    async def client(self, field_manager: str = FIELD_MANAGER) -> AsyncIterator[Client]:
        """Connect to the cluster.

        Raises:
            ClusterError: there are no usable credentials.
        """
        from aistack.cluster.client import Client

        require_credentials(self.kubeconfig)
        async with await Client.connect(field_manager, self.kubeconfig, self.context) as client:
            yield client

    def console(self) -> Console:
        """Return where rich output goes: standard output, without colours if ``NO_COLOR`` says so."""
        from rich.console import Console

        console = Console(highlight=False, emoji=False)
        if not console.is_terminal:
            console.width = PLAIN_WIDTH
        return console

    def show(self, renderable: RenderableType) -> None:
        """Print something rich to standard output; without trailing blanks where that is no terminal."""
        console = self.console()
        if console.is_terminal:
            console.print(renderable)
            return
        with console.capture() as captured:
            console.print(renderable)
        typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def session_of(ctx: typer.Context) -> Session:
    """Return the session that the global options made."""
    return cast(Session, ctx.obj)
