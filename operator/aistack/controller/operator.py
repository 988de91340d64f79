"""Joins the parts of the operator: AIStacks as they are now, the queue, the engine's news, the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from aistack.api.group import API_VERSION, KIND
from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.login import Configuration, connection_info
from aistack.cluster.queue import WorkQueue
from aistack.cluster.settings import Settings
from aistack.cluster.shelf import Shelf
from aistack.controller.serving import Serving
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.pipeline import Pipeline
from aistack.planning.accounts import Accounts
from aistack.sharing import BINDING, Sharing
from aistack.surroundings import definitions_problem, require_server

log = structlog.get_logger(__name__)

SERVED_TRIES, SERVED_PAUSE = 40, 0.5
"""How often, and with how many seconds between, we ask whether AIStacks are served."""

AS_ITSELF = Accounts()
"""Makes the objects of stacks that name no ServiceAccount with the operator's own rights."""
StackKey = tuple[str, str]
"""Namespace and name."""


@dataclass
class Stacks:
    """The AIStacks as last seen, from the watch or from the answers to our own writes; never older ones."""

    _live: dict[StackKey, Manifest] = field(default_factory=dict)

    def see(self, stack: Manifest) -> bool:
        """Take note of a stack; tells whether it is news."""
        key = key_of(stack)
        known = self._live.get(key)
        if known is not None and _version(known) >= _version(stack):
            return False
        self._live[key] = stack
        return True

    def forget(self, stack: Manifest) -> None:
        """Take note that a stack is gone; another one of the same name that was seen meanwhile stays."""
        known = self._live.get(key_of(stack))
        if known is not None and known["metadata"].get("uid") == stack["metadata"].get("uid"):
            del self._live[key_of(stack)]

    def get(self, key: StackKey) -> Manifest | None:
        """Return a stack as last seen."""
        return self._live.get(key)

    def __len__(self) -> int:
        return len(self._live)


class Operator:
    """Everything that runs in the operator's process, but kopf."""

    def __init__(
        self,
        configuration: Configuration,
        catalog: Catalog,
        settings: Settings,
        accounts: Accounts = AS_ITSELF,
        take_over: Iterable[str] = (),
        workers: int = 4,
    ) -> None:
        self.stacks = Stacks()
        self.queue: WorkQueue[StackKey] = WorkQueue(self._work, workers)
        self._configuration = configuration
        self.client = client = Client(configuration, settings.field_manager)
        self._engine = Engine(client, settings, on_change=self.queue.add)
        self._bindings = Shelf(client, settings, BINDING, self._bound)
        self._pipeline = Pipeline(client, self._engine, catalog, Sharing(client, self._bindings), accounts.of)
        self._serving = Serving(client, settings.namespace, take_over)
        self._task: asyncio.Task[None] | None = None
        self._told: set[StackKey] = set()
        """Stacks that kopf told of since they were last worked on: they exist."""

    async def start(self) -> None:
        """Look at the cluster, then start watches and workers.

        Raises:
            InvalidError: the cluster is too old.
            NotReadyError: it can't be asked.
        """
        found = await require_server(self.client)
        if found.remedy:
            log.warning("untested Kubernetes", version=str(found), remedy=found.remedy)
        if problem := await definitions_problem(self.client):
            log.error("definitions", problem=problem)  # served as well as can be: they may come later
        await self._engine.start()
        await self._bindings.start()
        self._task = asyncio.create_task(self.queue.run(), name="workers")

    async def stop(self) -> None:
        """Stop them; what was under way is taken up at the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._bindings.stop()
        await self._engine.stop()
        await self.client.close()

    async def login(self) -> dict[str, Any]:
        """Return our client's credentials in the words of kopf's ConnectionInfo."""
        return await connection_info(self._configuration)

    async def wait_until_served(self) -> None:
        """Wait until the API server knows AIStacks, which it does a moment after their definition says so."""
        for _ in range(SERVED_TRIES):
            if await self.is_served():
                return
            await asyncio.sleep(SERVED_PAUSE)

    async def is_served(self) -> bool:
        """Ask whether the API server knows AIStacks."""
        kind = ObjectKind(API_VERSION, KIND)
        self.client.discovery.forget(kind)
        with suppress(ClusterError):
            await self.client.discovery.resource(kind)
            return True
        return False

    def seen(self, stack: Manifest, deleted: bool) -> None:
        """Take note of an AIStack's event."""
        if deleted:
            self.stacks.forget(stack)
        elif self.stacks.see(stack):
            self._told.add(key_of(stack))
            self.queue.add(key_of(stack))

    def _bound(self, binding: Manifest) -> None:
        """Take note of news of an AIBinding: its stack is worked on."""
        self.queue.add((binding["metadata"]["namespace"], str(binding.get("spec", {}).get("stack", ""))))

    async def _work(self, key: StackKey) -> float:
        if key in self._told:
            self._told.discard(key)
        else:
            await self._look(key)
        live = self.stacks.get(key)
        if live is None:
            await self._pipeline.orphans(*key)
            return 0
        claimed = await self._serving.claim(live)
        if claimed is None:
            return 0
        live = claimed
        after, delay = await self._pipeline.reconcile(live)
        _log_change(key, live, after)
        if after["metadata"].get("deletionTimestamp") and not after["metadata"].get("finalizers"):
            self.stacks.forget(after)
        elif self.stacks.get(key) is not None:
            self.stacks.see(after)
        return delay

    async def _look(self, key: StackKey) -> None:
        """Ask for a stack that something else than its own event brought up, before anything is made for it.

        kopf never tells of one that was deleted while it didn't watch.
        """
        known = self.stacks.get(key)
        if known is None:
            return
        reply = await self.client.get(ObjectRef(API_VERSION, KIND, *key))
        if reply.status == 404:
            self.stacks.forget(known)
        elif self.stacks.get(key) is not None:  # it may have been told as deleted meanwhile
            self.stacks.see(reply.result())


def key_of(stack: Manifest) -> StackKey:
    """Return a stack's namespace and name."""
    return stack["metadata"]["namespace"], stack["metadata"]["name"]


def _version(stack: Manifest) -> int:
    return int(stack["metadata"].get("resourceVersion") or 0)


def _log_change(key: StackKey, before: Manifest, after: Manifest) -> None:
    old, new = (s.get("status", {}).get("message", "") for s in (before, after))
    if old != new:
        log.info("reconciled", namespace=key[0], aistack=key[1], message=new)
