"""AIComponents in the operator's process: followed, worked on beside the stacks, and never in their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.cluster.queue import WorkQueue
from aistack.cluster.settings import Settings
from aistack.cluster.shelf import Shelf
from aistack.cluster.sight import Sight
from aistack.errors import ForbiddenError
from aistack.objects.manifest import Manifest
from aistack.pieces.keeper import PIECES, Keeper
from aistack.pieces.stock import Stock
from aistack.pieces.usage import parts_used

WORKERS, LONGEST_PAUSE = 4, 60.0
"""How many are worked on at a time, and the seconds after which a registry is asked again at the latest."""

log = structlog.get_logger(__name__)


class Pieces:
    """Everything that AIComponents need; an operator that serves some namespaces only has none of them.

    Args:
        client: talks to the API server.
        settings: say where the operator lives, and what it serves.
        catalog: the operator's own.
        stacks: returns the AIStacks as last seen.
        touch: called with each stack that must be looked at again.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        catalog: Catalog,
        stacks: Callable[[], Iterable[Manifest]],
        touch: Callable[[Manifest], None],
    ) -> None:
        self.stock, self._stacks, self._touch = Stock(catalog), stacks, touch
        self._served = not settings.namespaces
        self.queue: WorkQueue[str] = WorkQueue(
            self._work, WORKERS, backoff_limit=LONGEST_PAUSE, fields=lambda name: {"component": name}
        )
        self._shelf = Shelf(client, settings, PIECES, lambda live: self.queue.add(live["metadata"]["name"]))
        self._keeper = Keeper(client, self._shelf, self.stock, settings.namespace, stacks, self._changed)

    @property
    def catalog(self) -> Catalog:
        """What stacks are planned from, now."""
        return self.stock.catalog

    async def start(self) -> None:
        """Follow them."""
        if self._served:
            await self._shelf.start()

    async def stop(self) -> None:
        """End the watch."""
        await self._shelf.stop()

    async def prepare(self) -> None:
        """Take up what was in use last, as the leader, before stacks are worked on.

        Raises:
            NotReadyError: the API server couldn't be asked.
        """
        if not self._served:
            return
        try:
            await self._keeper.prepare()
        except ForbiddenError as error:  # whoever granted the rights of an older version by hand has stacks to serve
            log.error("AIComponents can't be used", error=str(error))
        for live in self._shelf.all():
            self.queue.add(live["metadata"]["name"])

    def sights(self) -> Iterable[Sight]:
        """Return how the watch stands."""
        return self._shelf.sights()

    def __len__(self) -> int:
        return len(self._shelf)

    def seen(self, before: Manifest | None, after: Manifest | None) -> None:
        """Have those worked on whose parts a stack begins or ceases to use."""
        used = (parts_used(stack, self.catalog.profiles) if stack else frozenset() for stack in (before, after))
        for part in next(used) ^ next(used):
            if name := self.catalog.origins.get(part):
                self.queue.add(name)

    async def _work(self, name: str) -> float:
        return await self._keeper.reconcile(name)

    def _changed(self, parts: frozenset[str]) -> None:
        """Have the stacks looked at again that some parts concern, and the AIComponents that may fit now."""
        for stack in self._stacks():
            if parts & parts_used(stack, self.catalog.profiles):
                self._touch(stack)
        for live in self._shelf.all():
            self.queue.add(live["metadata"]["name"])
