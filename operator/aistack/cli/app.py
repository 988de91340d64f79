"""Builds the command line from its commands and runs it."""

from __future__ import annotations

import gc
import os
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from aistack.cli.exits import EPILOG, ExitCode
from aistack.cli.globals import command_of, globals_first, without_aliases
from aistack.cli.session import Session
from aistack.cli.voice import complain
from aistack.errors import AIStackError, ToolError

COMMANDS = (
    "up",
    "down",
    "catalog",
    "component",
    "render",
    "plan",
    "apply",
    "status",
    "wait",
    "open",
    "prove",
    "rotate",
    "bind",
    "env",
    "delete",
    "component",
    "release",
    "images",
    "crd",
    "doctor",
    "debug",
    "version",
)
"""In the order of ``--help``; each is a module of :mod:`aistack.cli.commands` that has an ``app``."""
HELP = "One AIStack object becomes a wired, running set of open source AI tools on any Kubernetes."


def run(args: Sequence[str], prog: str = "aistack") -> int:
    """Run one command.

    Args:
        args: the arguments, without the program's name.
        prog: the program's name, for messages.

    Returns:
        The exit code.
    """
    ordered = without_aliases(globals_first(args)) or ["--help"]
    name = command_of(ordered)
    if "--no-color" in ordered:
        os.environ["NO_COLOR"] = "1"  # typer's and rich's own output follow it, too
    try:
        command = get_command(build(name, prog))
        _hide_types_of_flags(command)
        _collect_garbage_again()
        result = command.main(ordered, prog, standalone_mode=False)
    except typer.TyperException as error:
        return _misused(error, prog)
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except (AIStackError, OSError, RecursionError) as error:
        if "--debug" in ordered:
            traceback.print_exc()
        return _failed(error)
    return result if isinstance(result, int) else ExitCode.OK


def _hide_types_of_flags(command: Any, parent: typer.Context | None = None, name: str | None = None) -> None:
    """Let help show flags as they are written; typer would add ``<bool>``, as if they took a value."""
    ctx = typer.Context(command, parent=parent, info_name=name, **command.context_settings)
    for param in command.get_params(ctx):
        if getattr(param, "is_flag", False):
            param.metavar = ""
    for child, below in getattr(command, "commands", {}).items():
        _hide_types_of_flags(below, ctx, child)


def _collect_garbage_again() -> None:
    """Undo what ``main`` did to load faster; what was loaded until now is never looked through."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _misused(error: typer.TyperException, prog: str) -> ExitCode:
    """Complain about wrong usage; a group without a command has printed its help and says nothing more."""
    message = error.format_message().replace("Value error, ", "").rstrip(".")  # pydantic's word, inside typer's
    if not message:
        return ExitCode.ERROR
    ctx: typer.Context | None = getattr(error, "ctx", None)
    return complain(f"{message}; see {ctx.command_path if ctx else prog} --help")


def _failed(error: Exception) -> ExitCode:
    """Complain about a failure; the first line says what failed, and a program's last words follow."""
    if isinstance(error, ToolError):
        message, _, output = str(error).partition("\n")
        return complain(message, output=output)
    return complain(str(error) or type(error).__name__)


def build(command: str = "", prog: str = "aistack") -> typer.Typer:
    """Build the application.

    Args:
        command: the one command that is needed; all of them if it isn't known or a shell asks for completions.
        prog: the program's name, for the name of the variable by which shells ask.
    """
    app = typer.Typer(
        name="aistack",
        help=HELP,
        epilog=EPILOG,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    completing = f"_{prog.upper().replace(' ', '_').replace('-', '_')}_COMPLETE" in os.environ
    for name in (command,) if command in COMMANDS and not completing else COMMANDS:
        app.add_typer(import_module(f"aistack.cli.commands.{name}").app)
    return app


def _options(
    ctx: typer.Context,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace of the stack.")] = "",
    context: Annotated[str, typer.Option(help="Context of the kubeconfig; default: the current one.")] = "",
    kubeconfig: Annotated[str, typer.Option(help="Credentials; default: $KUBECONFIG, else ~/.kube/config.")] = "",
    catalog: Annotated[Path | None, typer.Option(help="Folder of the catalog; default: the packaged one.")] = None,
    piece: Annotated[
        list[str] | None,
        typer.Option("--piece", help="Folder or artifact of a component to add to the catalog; repeatable."),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours; so does the variable NO_COLOR.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,
) -> None:
    """Take note of the global options; ``run`` sees to colours and tracebacks."""
    ctx.obj = Session(ctx.info_name or "aistack", catalog, kubeconfig, context, namespace, tuple(piece or ()))
