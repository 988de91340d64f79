"""``python -m aistack.controller``: runs the operator."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer

from aistack.catalog.loader import load_catalog
from aistack.cluster.client import load_configuration
from aistack.controller.operator import Operator
from aistack.controller.patience import EndlessBackoff, unless
from aistack.controller.watch import StackWatch
from aistack.errors import AIStackError, NotReadyError
from aistack.planning.accounts import Accounts
from aistack.settings import OPERATOR_NAMESPACE, engine_settings

log = structlog.get_logger(__name__)


def main(
    namespace: Annotated[str, typer.Option(help="Where the operator keeps its inventories.")] = OPERATOR_NAMESPACE,
    watch: Annotated[list[str] | None, typer.Option(help="Namespace to serve; repeatable. Default: all.")] = None,
    catalog: Annotated[Path | None, typer.Option(help="Folder of the catalog. Default: the packaged one.")] = None,
    kubeconfig: Annotated[str, typer.Option(help="Credentials. Default: $KUBECONFIG or the pod's.")] = "",
    context: Annotated[str, typer.Option(help="Context of the kubeconfig.")] = "",
    take_over: Annotated[
        list[str] | None,
        typer.Option(help="Namespace of an operator that is gone for good, whose stacks to take over; repeatable."),
    ] = None,
    liveness: Annotated[
        str, typer.Option(help="Address and port of the liveness probe, /healthz, e.g. 10.0.0.7:8080.")
    ] = "",
    log_format: Annotated[str, typer.Option(help="json or text.")] = "json",
    default_service_account: Annotated[
        str, typer.Option(help="ServiceAccount to act as for stacks that name none. Default: the operator's own.")
    ] = "",
    allow_service_account: Annotated[
        list[str] | None, typer.Option(help="ServiceAccount that stacks may name besides; repeatable.")
    ] = None,
) -> None:
    """Run the AIStack operator until it is told to stop."""
    configure_logs(log_format)
    accounts = Accounts(default_service_account, tuple(allow_service_account or ()))

    async def connect() -> Operator:
        configuration = await load_configuration(kubeconfig, context)
        settings = engine_settings(namespace, watch or ())
        return Operator(configuration, load_catalog(catalog), settings, accounts, take_over or ())

    try:
        asyncio.run(serve(connect, watch or [], liveness))
    except AIStackError as error:
        sys.exit(f"error: {error}")


async def serve(connect: Callable[[], Awaitable[Operator]], watch: list[str], liveness: str) -> None:
    """Run the operator that ``connect`` makes; the other arguments are those of :func:`main`."""
    operator = await connect()
    stopping = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    try:
        await unless(stopping, start(operator))
        await StackWatch(operator, watch, liveness).run(stopping)
    finally:
        await operator.stop()


async def start(operator: Operator) -> None:
    """Start the operator's work, once the API server can be asked."""
    for pause in EndlessBackoff():
        try:
            await operator.start()
        except NotReadyError as error:
            log.warning("can't start yet, tries again", error=str(error))
            await asyncio.sleep(pause)
        else:
            log.info("operator started")
            return


def configure_logs(log_format: str) -> None:
    """Set up logs: one line an event, ``json`` for machines or ``text`` for people."""
    renderer = structlog.dev.ConsoleRenderer() if log_format == "text" else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # kopf speaks through the standard library; a kind that isn't there yet is no error of ours.
    logging.getLogger("kopf").setLevel(logging.ERROR)


if __name__ == "__main__":
    typer.run(main)
