"""One kind's reflector: a list, then a watch with bookmarks, for ever; its troubles stay its own."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from aistack.cluster.client import Client
from aistack.cluster.discovery import is_missing_kind
from aistack.cluster.live import Live, to_live
from aistack.cluster.settings import Settings
from aistack.cluster.sight import Sight
from aistack.errors import AIStackError, ClusterError
from aistack.objects.manifest import ObjectKind, ObjectRef

PAGE = "500"
AT_A_TIME = 50
"""Objects of a page that are worked on before others have their turn."""
UNAVAILABLE = 500
"""From this status on the server, or whoever stands before it, says that it can't answer."""
SHORTEST = 1.0
"""Seconds that a watch must last: one that ends sooner is in trouble, and is not opened again without a pause."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Source:
    """What one reflector follows; ``namespace`` is empty for all of them, ``name`` unless it is one object."""

    kind: ObjectKind
    namespace: str
    selector: str
    full: bool
    name: str = ""

    @property
    def query(self) -> dict[str, str]:
        """What selects it in a request."""
        named = {"fieldSelector": f"metadata.name={self.name}"} if self.name else {}
        return named | ({"labelSelector": self.selector} if self.selector else {})

    def __str__(self) -> str:
        if self.name:
            return f"{self.kind.kind} {self.namespace}/{self.name}"
        return f"{self.kind.kind} in namespace {self.namespace}" if self.namespace else self.kind.kind


OnReturn = Callable[[ObjectKind], None]


class Sink(Protocol):
    """Where a reflector's news goes; the :class:`~aistack.cluster.store.Store` is one."""

    def see(self, live: Live) -> None:
        """An object is in this state."""

    def gone(self, ref: ObjectRef, version: int) -> None:
        """An object was deleted at this version."""

    def replace(self, kind: ObjectKind, namespace: str, lives: Iterable[Live], version: int) -> None:
        """These are all objects of the source, as of this version."""

    def passed(self, kind: ObjectKind, namespace: str, version: int) -> None:
        """All of the source is known up to this version."""


async def list_all(client: Client, source: Source, manager: str) -> tuple[list[Live], int]:
    """Read a whole collection, page by page; return it and the resourceVersion that it is complete at.

    Raises:
        ClusterError: the list is refused or breaks; ``status`` 410 when a page came too late.
    """
    lives: list[Live] = []
    query = source.query | {"limit": PAGE}

    async def ask() -> Mapping[str, Any]:
        reply = await client.list(source.kind, source.namespace, metadata=not source.full, **query)
        return reply.result()

    async def slim(page: Mapping[str, Any]) -> None:
        items = page["items"] or ()
        for start in range(0, len(items), AT_A_TIME):
            lives.extend(to_live(i, source.kind, manager, source.full) for i in items[start : start + AT_A_TIME])
            await asyncio.sleep(0)

    page = await ask()
    while token := page["metadata"].get("continue"):
        query["continue"] = token
        page, _ = await asyncio.gather(ask(), slim(page))  # the server works on a page while we do on the one before
    await slim(page)
    return lives, int(page["metadata"]["resourceVersion"])


class Reflector:
    """Keeps the store's picture of one source up to date.

    Args:
        client: requests.
        store: where states go.
        source: what to follow.
        settings: our field manager, and the limits of watches.
        on_return: called with the kind when it is there again, or at last.
    """

    def __init__(
        self, client: Client, store: Sink, source: Source, settings: Settings, on_return: OnReturn = lambda _: None
    ) -> None:
        self.source = source
        self._on_return, self._waker = on_return, asyncio.Event()
        self.error: AIStackError | None = None
        """Why the picture may be out of date; None while the watch is sound."""
        self.synced = False
        """Whether a complete list was ever read."""
        self.attempted = asyncio.Event()
        """Set once the first list was tried."""
        self._heard = _now()
        self._client, self._store, self._manager = client, store, settings.field_manager
        self._silence, self._backoff_limit = settings.watch_silence, settings.watch_backoff_limit
        self._version: int | None = None
        self._failures = 0
        self._broken = False
        """Whether the way to the server was lost: who answers next may be a cluster restored from a backup."""

    def sight(self) -> Sight:
        """Return how it stands."""
        return Sight(self.source.kind.kind, _now() - self._heard, str(self.error or ""))

    def start(self) -> asyncio.Task[None]:
        """Follow the source in the background, until the task is cancelled."""
        return asyncio.create_task(self.run(), name=f"watch {self.source}")

    def wake(self) -> None:
        """Look at once whether the kind is there, if it was missing: its definition came."""
        if is_missing_kind(self.error):
            self._failures = 0
            self._waker.set()

    async def run(self) -> None:
        """Follow the source until cancelled."""
        while True:
            try:
                if self._broken:
                    await self._check_history()
                if self._version is None:
                    await self._list()
                await self._watch()
            except AIStackError as error:
                self._failed(error)
                await self._rest()
            except Exception as error:
                # A bug that one object brings out must neither end the watch nor be met at the same place again.
                log.exception("watch failed unexpectedly", **self._fields())
                self._version = None
                self._failed(ClusterError(f"watch {self.source}: unexpected {type(error).__name__}"))
                await self._rest()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._waker.wait(), self._pause())
        self._waker.clear()

    async def _list(self) -> None:
        try:
            lives, version = await list_all(self._client, self.source, self._manager)
            self._store.replace(self.source.kind, self.source.namespace, lives, version)
            self._version, self.synced, self._heard = version, True, _now()
            if is_missing_kind(self.error):
                self._on_return(self.source.kind)
        finally:
            self.attempted.set()

    async def _check_history(self) -> None:
        """Ask how far the history goes: a watch from a point that a restored cluster hasn't reached says nothing."""
        reply = await self._client.list(self.source.kind, self.source.namespace, metadata=True, limit="1")
        version = int(reply.result()["metadata"]["resourceVersion"])
        if self._version is not None and version < self._version:
            log.error("the cluster was put back to an older state", source=str(self.source))
            self._version = None
            self._client.rewound.set()
        self._broken = False

    async def _watch(self) -> None:
        query = self.source.query | {
            "resourceVersion": str(self._version),
            # Spread, so that not all watches of all kinds end in the same second.
            "timeoutSeconds": str(random.randint(240, 300)),  # noqa: S311 - not for cryptography
        }
        source = self.source
        watch = await self._client.watch(
            source.kind, source.namespace, metadata=not source.full, silence=self._silence, **query
        )
        async with watch as events:
            self._recovered()
            started = _now()
            try:
                async for event in events:
                    self._take(event)
            finally:
                # However it ends: who cuts idle connections every minute mustn't make the pauses longer each time.
                if _now() - started >= SHORTEST:
                    self._failures = 0
        if _now() - started < SHORTEST:
            raise ClusterError(f"watch {source}: it ended at once")

    def _take(self, event: Mapping[str, Any]) -> None:
        self._heard = _now()
        raw = event["object"]
        version = int(raw["metadata"]["resourceVersion"])
        if event["type"] == "DELETED":
            metadata, kind = raw["metadata"], self.source.kind
            ref = ObjectRef(kind.api_version, kind.kind, metadata.get("namespace", ""), metadata["name"])
            self._store.gone(ref, version)
        elif event["type"] != "BOOKMARK":
            self._store.see(to_live(raw, self.source.kind, self._manager, self.source.full))
        self._store.passed(self.source.kind, self.source.namespace, version)
        self._version = version

    def _recovered(self) -> None:
        if self.error:
            log.info("watch works again", **self._fields())
        self.error = None

    def _failed(self, error: AIStackError) -> None:
        self._failures += 1
        status = error.status if isinstance(error, ClusterError) else 0
        self._broken = self._broken or not status or status >= UNAVAILABLE
        if status == 410:  # history was compacted: list anew, nothing is wrong
            self._version = None
            return
        if is_missing_kind(error):
            self._vanished()
        elif status == 404:  # the kind went, or a proxy lost its way: the cluster is asked which
            self._client.discovery.forget(self.source.kind)
            self._version = None
        if self.error is None or str(self.error) != str(error):
            log.warning("watch degraded", **self._fields(), error=str(error))
        self.error = error

    def _vanished(self) -> None:
        """The kind isn't there (any more), so none of its objects is."""
        self._store.replace(self.source.kind, self.source.namespace, (), sys.maxsize)
        self._store.passed(self.source.kind, self.source.namespace, 0)
        self._version = None

    def _fields(self) -> dict[str, str]:
        """Return what it is called in logs."""
        source = self.source
        where = {"namespace": source.namespace} if source.namespace else {}
        named = {"object": f"{source.kind.kind}/{source.name}"} if source.name else {}
        return {"kind": source.kind.kind, **where, **named}

    def _pause(self) -> float:
        """Exponential, from about 0.1 s, with full jitter above the half."""
        longest = min(0.1 * 2.0 ** min(self._failures, 16), self._backoff_limit)
        return longest * random.uniform(0.5, 1)  # noqa: S311 - not for cryptography


def _now() -> float:
    return asyncio.get_running_loop().time()
