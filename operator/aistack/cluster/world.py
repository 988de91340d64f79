"""Where the engine's knowledge of live objects comes from: watches in the operator, one listing in the CLI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from aistack.cluster.client import Client
from aistack.cluster.reflector import OnReturn, Reflector, Source, list_all
from aistack.cluster.settings import SECRET, Settings
from aistack.cluster.sight import Sight
from aistack.cluster.store import Store
from aistack.errors import AIStackError, ClusterError
from aistack.objects.manifest import ObjectKind
from aistack.objects.plan import Owner

SourceKey = tuple[ObjectKind, str]


class World(Protocol):
    """Keeps a :class:`Store` filled."""

    async def ensure(self, kinds: Iterable[ObjectKind], owner: Owner) -> None:
        """Make sure that the store knows the owner's objects of these kinds, as far as they can be read."""

    def problem(self, kind: ObjectKind, namespace: str) -> AIStackError | None:
        """Return why nothing is known of a kind, or None when it is known."""

    def degraded(self) -> Mapping[str, str]:
        """Return what can't be followed at present, and why."""

    def sights(self) -> Iterable[Sight]:
        """Return how each watch stands."""

    def defined(self, kind: ObjectKind) -> None:
        """Take note that a kind was defined: whoever waits for it looks at once."""

    async def stop(self) -> None:
        """End all watches."""


def _source(settings: Settings, kind: ObjectKind, namespace: str, selector: str) -> Source:
    return Source(kind, namespace, selector, kind.kind in settings.full_kinds)


def _scope(settings: Settings, kind: ObjectKind, namespace: str) -> SourceKey:
    """Secrets are read namespace by namespace, where an owner lives; all else cluster-wide where rights allow it."""
    return kind, namespace if kind == SECRET else settings.scope(namespace)


class Watching:
    """One reflector per kind; Secrets, and all else where rights end with namespaces, one per namespace in use."""

    def __init__(self, client: Client, store: Store, settings: Settings, on_return: OnReturn = lambda _: None) -> None:
        self._client, self._store, self._settings = client, store, settings
        self._on_return = on_return
        self._reflectors: dict[SourceKey, Reflector] = {}
        self._tasks: dict[SourceKey, asyncio.Task[None]] = {}

    async def ensure(self, kinds: Iterable[ObjectKind], owner: Owner) -> None:
        """Start what reflectors are missing and wait for their first list, successful or not."""
        wanted = {_scope(self._settings, kind, owner.namespace) for kind in kinds}
        for key in sorted(wanted - self._reflectors.keys()):
            self._start(key)
        for key in wanted:
            await self._reflectors[key].attempted.wait()

    def problem(self, kind: ObjectKind, namespace: str) -> AIStackError | None:
        """A kind that was listed once stays usable while its watch has trouble: writes bring news of their own."""
        reflector = self._reflectors.get(_scope(self._settings, kind, namespace))
        if reflector is not None and reflector.synced:
            return None
        known = reflector.error if reflector else None
        return known or ClusterError(f"{kind.kind} objects were not listed yet")

    def degraded(self) -> Mapping[str, str]:
        """Return the sources whose watch has trouble."""
        return {str(r.source): str(r.error) for r in self._reflectors.values() if r.error}

    def sights(self) -> Iterable[Sight]:
        """Return how each watch stands."""
        return [reflector.sight() for reflector in self._reflectors.values()]

    def defined(self, kind: ObjectKind) -> None:
        """Have the reflectors of a kind that was missing look at once."""
        for (followed, _), reflector in self._reflectors.items():
            if followed == kind:
                reflector.wake()

    async def stop(self) -> None:
        """Cancel all reflectors and wait until they ended."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._reflectors.clear()

    def _start(self, key: SourceKey) -> None:
        source = _source(self._settings, *key, self._settings.owner_label)
        self._reflectors[key] = reflector = Reflector(
            self._client, self._store, source, self._settings, self._on_return
        )
        self._tasks[key] = reflector.start()


class Listing:
    """Lists an owner's objects anew at every call; for commands that look once."""

    def __init__(self, client: Client, store: Store, settings: Settings) -> None:
        self._client, self._store, self._settings = client, store, settings
        self._errors: dict[SourceKey, AIStackError] = {}

    async def ensure(self, kinds: Iterable[ObjectKind], owner: Owner) -> None:
        """List all kinds, at the same time."""
        async with asyncio.TaskGroup() as group:
            for kind in set(kinds):
                group.create_task(self._list(kind, owner))

    def problem(self, kind: ObjectKind, namespace: str) -> AIStackError | None:
        """Return why the last listing failed."""
        return self._errors.get((kind, namespace))

    def degraded(self) -> Mapping[str, str]:
        """Return the kinds whose listing failed."""
        return {str(kind): str(error) for (kind, _), error in self._errors.items()}

    def sights(self) -> Iterable[Sight]:
        """Nothing is watched."""
        return ()

    def defined(self, kind: ObjectKind) -> None:
        """Nothing waits."""

    async def stop(self) -> None:
        """Nothing goes on in the background."""

    async def _list(self, kind: ObjectKind, owner: Owner) -> None:
        selector = f"{self._settings.owner_label}={owner.name}"
        source = _source(self._settings, kind, owner.namespace, selector)
        self._errors.pop((kind, owner.namespace), None)
        try:
            lives, version = await list_all(self._client, source, self._settings.field_manager)
        except AIStackError as error:
            self._errors[kind, owner.namespace] = error
        else:
            self._store.replace(kind, owner.namespace, lives, version)
