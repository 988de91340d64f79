"""Objects of others that owners refer to by name: each followed by a watch on its name, its readers told of changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aistack.cluster.client import Client
from aistack.cluster.live import Live
from aistack.cluster.reflector import Reflector, Source
from aistack.cluster.settings import Settings
from aistack.cluster.store import OnChange
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectKind, ObjectRef
from aistack.objects.plan import OwnerKey

Key = tuple[str, str]
"""Namespace and name of an object."""


@dataclass
class _Followed:
    """One object: its watch, and the newest version that it told of; 0 while there is none."""

    reflector: Reflector
    task: asyncio.Task[None]
    version: int = 0


class _News:
    """Takes a reflector's news of one object."""

    def __init__(self, named: Named, key: Key) -> None:
        self._named, self._key = named, key

    def see(self, live: Live) -> None:
        self._named.note(self._key, live.version)

    def gone(self, ref: ObjectRef, version: int) -> None:
        self._named.note(self._key, 0)

    def replace(self, kind: ObjectKind, namespace: str, lives: Iterable[Live], version: int) -> None:
        self._named.note(self._key, max((live.version for live in lives), default=0))

    def passed(self, kind: ObjectKind, namespace: str, version: int) -> None:
        """Bookmarks are no news."""


class Named:
    """Follows objects of one kind by name, without what is in them.

    Args:
        client: requests.
        settings: limits of watches.
        kind: which kind.
        on_change: called with each owner that refers to an object that changed.
    """

    def __init__(self, client: Client, settings: Settings, kind: ObjectKind, on_change: OnChange) -> None:
        self._client, self._settings, self._kind, self._on_change = client, settings, kind, on_change
        self._followed: dict[Key, _Followed] = {}
        self._readers: dict[OwnerKey, frozenset[str]] = {}

    async def versions(self, owner: OwnerKey, names: Iterable[str]) -> dict[str, int]:
        """Return the newest version of each object in the owner's namespace, 0 where there is none.

        Watches that nobody needs any more end.

        Raises:
            AIStackError: one can't be looked for.
        """
        self._readers[owner] = sought = frozenset(names)
        await self._drop_unread()
        found = {name: self._follow((owner[0], name)) for name in sorted(sought)}
        for name, followed in found.items():
            await followed.reflector.attempted.wait()
            if not followed.reflector.synced:
                unread = ClusterError(f"{self._kind.kind} {owner[0]}/{name} was not read yet")
                raise followed.reflector.error or unread
        return {name: followed.version for name, followed in found.items()}

    async def forget(self, owner: OwnerKey) -> None:
        """End the watches that an owner alone needed."""
        self._readers.pop(owner, None)
        await self._drop_unread()

    async def stop(self) -> None:
        """End all watches."""
        self._readers.clear()
        await self._drop_unread()

    def __contains__(self, key: object) -> bool:
        return key in self._followed

    def note(self, key: Key, version: int) -> None:
        """Take note of an object's version, and tell its readers if it is news; 0 when it was deleted."""
        followed = self._followed.get(key)
        if followed is None or followed.version == version:
            return
        followed.version = version
        for owner, names in self._readers.items():
            if owner[0] == key[0] and key[1] in names:
                self._on_change(owner)

    def _follow(self, key: Key) -> _Followed:
        if key not in self._followed:
            source = Source(self._kind, key[0], "", False, key[1])
            reflector = Reflector(self._client, _News(self, key), source, self._settings)
            self._followed[key] = _Followed(reflector, reflector.start())
        return self._followed[key]

    async def _drop_unread(self) -> None:
        read = {(owner[0], name) for owner, names in self._readers.items() for name in names}
        ended = [self._followed.pop(key).task for key in self._followed.keys() - read]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
