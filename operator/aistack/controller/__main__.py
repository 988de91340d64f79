"""``python -m aistack.controller``: runs the operator."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer
from structlog.typing import Processor

from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from aistack.controller.endpoints import Endpoints
from aistack.controller.operator import Operator
from aistack.controller.options import Options, unique_identity
from aistack.controller.patience import EndlessBackoff, unless
from aistack.controller.releases import release_of
from aistack.controller.standing import Standing
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
    listen: Annotated[
        str, typer.Option(help="Address and port of /healthz, /readyz and /metrics, e.g. 10.0.0.7:8080. Default: none.")
    ] = "",
    identity: Annotated[
        str,
        typer.Option(help="What tells this replica from others, e.g. its pod's name. Default: the host's and more."),
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
    calm_collector()
    settings = engine_settings(namespace, watch or ())
    accounts = Accounts(default_service_account, tuple(allow_service_account or ()))

    async def connect() -> Operator:
        root = catalog_folder(catalog)
        gone = tuple(take_over or ())
        options = Options(accounts, gone, release_of(root), identity=identity or unique_identity())
        return await Operator.connect(load_catalog(root), settings, options, kubeconfig, context)

    try:
        asyncio.run(serve(connect, watch or [], listen))
    except AIStackError as error:
        sys.exit(f"error: {error}")


async def serve(connect: Callable[[], Awaitable[Operator]], watch: list[str], listen: str) -> None:
    """Run the operator that ``connect`` makes; the other arguments are those of :func:`main`."""
    stopping = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    while not stopping.is_set():
        await live(await connect(), watch, listen, stopping)


async def live(operator: Operator, watch: list[str], listen: str, stopping: asyncio.Event) -> None:
    """Run until ``stopping`` is set, or the cluster was put back to an older state: then all that is known is wrong."""
    ending, stack_watch = asyncio.Event(), StackWatch(operator, watch)
    causes = [asyncio.create_task(cause.wait()) for cause in (stopping, operator.client.rewound)]
    for cause in causes:
        cause.add_done_callback(lambda _: ending.set())
    resigning = asyncio.create_task(resign(operator, ending))
    try:
        async with endpoints_of(operator, stack_watch, listen):
            await unless(ending, start(operator))
            await stack_watch.run(ending)
            await resigning
    finally:
        for task in (resigning, *causes):
            task.cancel()
        await operator.stop()


async def resign(operator: Operator, stopping: asyncio.Event) -> None:
    """Let another replica lead as soon as this one is told to stop, before the rest of it ends."""
    await stopping.wait()
    await operator.resign()


def endpoints_of(operator: Operator, stack_watch: StackWatch, listen: str) -> Endpoints:
    """Return what answers probes and Prometheus."""
    operator.metrics.registry.register(Standing(operator, lambda: stack_watch.restarts))

    async def healthy() -> str:
        return operator.unhealthy or await stack_watch.unhealthy()

    async def ready() -> str:
        return operator.unready or stack_watch.unready

    return Endpoints(listen, healthy, ready, operator.metrics.exposition)


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


def calm_collector() -> None:
    """Have Python look for cyclic garbage seldom: there is little, and each look goes over all that is remembered."""
    gc.collect()
    gc.freeze()  # what was imported stays
    gc.set_threshold(50_000, 20, 100)


def configure_logs(log_format: str) -> None:
    """Set up logs: one line an event, ``json`` for machines or ``text`` for people; others' logs look the same.

    What is written while a stack is worked on says which: ``namespace`` and ``stack``.
    """
    renderer = structlog.dev.ConsoleRenderer() if log_format == "text" else structlog.processors.JSONRenderer()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    plain = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[plain, renderer], foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # kopf speaks of kinds that aren't there yet, which is no error of ours.
    logging.getLogger("kopf").setLevel(logging.ERROR)


if __name__ == "__main__":
    typer.run(main)
