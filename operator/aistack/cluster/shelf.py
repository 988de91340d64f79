"""Shelf: all objects of one kind, by namespace, kept as they are now; for kinds that users write and we don't own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

from aistack.cluster.client import Client
from aistack.cluster.discovery import is_missing_kind
from aistack.cluster.live import Live, to_live
from aistack.cluster.reflector import Reflector, Source, list_all
from aistack.cluster.settings import Settings
from aistack.cluster.sight import Sight
from aistack.errors import AIStackError, ClusterError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef

OnNews = Callable[[Manifest], None]


class Shelf:
    """The objects of one kind; a cluster that doesn't know the kind has none.

    Args:
        client: requests.
        settings: limits of the watch.
        kind: which kind.
        on_news: called with each object that was made, deleted or asked for anew, as it is or was; not when its
            status alone changed.
        watching: False for commands that look once: each call lists anew then.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        kind: ObjectKind,
        on_news: OnNews = lambda _: None,
        watching: bool = True,
    ) -> None:
        self._client, self._settings, self._watching, self._on_news = client, settings, watching, on_news
        self._kind = kind
        self._live: dict[str, dict[ObjectRef, Live]] = defaultdict(dict)
        self._reflectors: dict[str, Reflector] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def of(self, namespace: str) -> list[Manifest]:
        """Return the objects of a namespace, by name.

        Raises:
            AIStackError: they can't be listed.
        """
        if not self._watching:
            return await self._list(namespace)
        reflector = self._follow(self._settings.scope(namespace))
        await reflector.attempted.wait()
        if not reflector.synced and not is_missing_kind(reflector.error):
            raise reflector.error or ClusterError(f"{reflector.source} objects were not listed yet")
        return [live.manifest for _, live in sorted(self._live[namespace].items())]

    def all(self) -> list[Manifest]:
        """Return all objects as last seen; nothing is asked."""
        return [live.manifest for lives in self._live.values() for live in lives.values()]

    def learn(self, raw: Manifest) -> None:
        """Take note of the answer to a write of our own, unless the object was told as deleted meanwhile."""
        live = to_live(raw, self._kind, self._settings.field_manager, full=True)
        if live.ref in self._live[live.ref.namespace]:
            self.see(live)

    def sights(self) -> Iterable[Sight]:
        """Return how each watch stands."""
        return [reflector.sight() for reflector in self._reflectors.values()]

    def __len__(self) -> int:
        return sum(map(len, self._live.values()))

    async def start(self) -> None:
        """Start to follow them, so that news comes from now on."""
        for reflector in [self._follow(namespace) for namespace in self._settings.namespaces or ("",)]:
            await reflector.attempted.wait()

    async def stop(self) -> None:
        """End the watches."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._reflectors.clear()

    # ------------------------------------------------------------------ what the reflector and our own writes tell

    def see(self, live: Live) -> None:
        """An object is in this state, unless a newer one is known."""
        known = self._live[live.ref.namespace].get(live.ref)
        if known is not None and known.version >= live.version:
            return
        self._live[live.ref.namespace][live.ref] = live
        if known is None or _asked(known) != _asked(live):
            self._on_news(live.manifest)

    def gone(self, ref: ObjectRef, version: int) -> None:
        """An object was deleted at this version."""
        known = self._live[ref.namespace].get(ref)
        if known is not None and known.version <= version:
            del self._live[ref.namespace][ref]
            self._on_news(known.manifest)

    def replace(self, kind: ObjectKind, namespace: str, lives: Iterable[Live], version: int) -> None:
        """These are all objects there are in a namespace, or in all when it is empty, as of this version."""
        listed = set()
        for live in lives:
            listed.add(live.ref)
            self.see(live)
        known = [ref for refs in self._live.values() for ref in refs if namespace in ("", ref.namespace)]
        for ref in known:
            if ref not in listed:
                self.gone(ref, version)

    def passed(self, kind: ObjectKind, namespace: str, version: int) -> None:
        """Bookmarks are no news."""

    def _follow(self, namespace: str) -> Reflector:
        if namespace not in self._reflectors:
            reflector = Reflector(self._client, self, self._source(namespace), self._settings)
            self._reflectors[namespace] = reflector
            self._tasks.append(reflector.start())
        return self._reflectors[namespace]

    def _source(self, namespace: str) -> Source:
        return Source(self._kind, namespace, "", full=True)

    async def _list(self, namespace: str) -> list[Manifest]:
        try:
            lives, _ = await list_all(self._client, self._source(namespace), self._settings.field_manager)
        except AIStackError as error:
            if is_missing_kind(error):
                return []
            raise
        return [live.manifest for live in lives]


def _asked(live: Live) -> tuple[object, ...]:
    """Return what of an object is somebody's wish, not a report."""
    metadata = live.manifest["metadata"]
    return live.uid, metadata.get("generation"), metadata.get("deletionTimestamp"), metadata.get("finalizers")
