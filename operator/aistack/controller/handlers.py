"""kopf's part: log in, watch AIStacks, tell liveness; each event becomes a key in the queue, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import kopf

from aistack.api.crd import STACKS
from aistack.api.group import GROUP, PLURAL, VERSION
from aistack.controller.operator import Operator
from aistack.controller.patience import EndlessBackoff
from aistack.controller.session import session_of

REQUEST_TIMEOUT = 60.0
"""Seconds that a request of kopf's may take: with its own five minutes, one lost answer hides AIStacks for so long."""


class Definition:
    """The AIStack's definition as one run of kopf knows it.

    kopf asks what the cluster serves when a definition changes, once, and too early to see one that was made anew.

    Args:
        served: whether AIStacks were served before kopf started. If not, one that kopf lists came while it started.
    """

    def __init__(self, served: bool) -> None:
        self._served, self._uid = served, ""

    def is_renewed(self, event: Mapping[str, Any]) -> bool:
        """Tell whether a definition that wasn't there when kopf started is served now."""
        definition, listed = event["object"], event["type"] is None
        conditions = definition.get("status", {}).get("conditions") or []
        served = any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
        if not served or event["type"] == "DELETED" or definition["metadata"]["uid"] == self._uid:
            return False
        self._uid = definition["metadata"]["uid"]
        return not (listed and self._served)


def make_registry(
    operator: Operator,
    main: asyncio.AbstractEventLoop,
    restart: threading.Event,
    served: bool,
    clusterwide: bool = True,
) -> kopf.OperatorRegistry:
    """Return kopf's handlers; they run in kopf's own loop.

    Args:
        operator: gets the events, and knows how to log in.
        main: the loop that the operator lives in.
        restart: set when kopf must be started anew to see the AIStacks.
        served: whether AIStacks are served already.
        clusterwide: whether definitions may be watched; without them only a restart shows one that was made anew.
    """
    registry = kopf.OperatorRegistry()
    if clusterwide:
        _watch_definitions(registry, Definition(served), restart, operator, main)

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:
        found = asyncio.run_coroutine_threadsafe(operator.login(), main)
        return session_of(kopf.ConnectionInfo(**await asyncio.wrap_future(found)))

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def stack_event(event: kopf.RawEvent, **_: Any) -> None:
        main.call_soon_threadsafe(operator.seen, dict(event["object"]), event["type"] == "DELETED")

    return registry


def _watch_definitions(
    registry: kopf.OperatorRegistry,
    ours: Definition,
    restart: threading.Event,
    operator: Operator,
    main: asyncio.AbstractEventLoop,
) -> None:
    @kopf.on.event("apiextensions.k8s.io", "v1", "customresourcedefinitions", registry=registry)
    async def definition_event(event: kopf.RawEvent, name: str, **_: Any) -> None:
        if name != STACKS.name:
            main.call_soon_threadsafe(operator.defined, dict(event["object"]))
        elif ours.is_renewed(event):
            restart.set()


def make_settings(clusterwide: bool = True) -> kopf.OperatorSettings:
    """Return settings that make kopf a mere trigger: no Events, no peering, no finalizer, no annotations of its own.

    Args:
        clusterwide: whether it may look at namespaces and definitions, or takes both as they are.
    """
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = not clusterwide
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.networking.error_backoffs = EndlessBackoff()
    settings.networking.request_timeout = REQUEST_TIMEOUT
    return settings
