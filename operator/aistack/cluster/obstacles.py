"""What stops owners and isn't theirs: quotas, and kinds that the cluster lacks. They hear of it when it changes.

Quotas are followed only while one stops somebody, and by their versions alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aistack.cluster.client import Client
from aistack.cluster.discovery import is_missing_kind
from aistack.cluster.live import Live
from aistack.cluster.reflector import Reflector, Source
from aistack.cluster.settings import Settings
from aistack.cluster.sight import Sight
from aistack.cluster.store import OnChange
from aistack.errors import AIStackError, ClusterError
from aistack.objects.manifest import ObjectKind, ObjectRef
from aistack.objects.plan import OwnerKey

QUOTA = ObjectKind("v1", "ResourceQuota")


class Obstacles:
    """Remembers who is stopped by what.

    Args:
        client: requests.
        settings: limits of watches.
        on_change: called with each owner that may get on now.
    """

    def __init__(self, client: Client, settings: Settings, on_change: OnChange) -> None:
        self._client, self._settings, self._on_change = client, settings, on_change
        self._lacking: set[OwnerKey] = set()
        """Whose plan has a kind that the cluster lacks."""
        self._refused: set[OwnerKey] = set()
        """To whom a quota refused something."""
        self._quotas: dict[str, tuple[Reflector, asyncio.Task[None]]] = {}
        """What follows the quotas of each namespace in which somebody is refused."""

    async def note(self, owner: OwnerKey, errors: Iterable[AIStackError]) -> None:
        """Take note of what stopped an owner's pass."""
        found = tuple(errors)
        _keep(self._lacking, owner, any(map(is_missing_kind, found)))
        _keep(self._refused, owner, any(map(_is_quota, found)))
        await self._follow()

    def appeared(self, _: ObjectKind) -> None:
        """Take note that a kind is there which the cluster lacked."""
        for owner in list(self._lacking):
            self._on_change(owner)

    async def stop(self) -> None:
        """Forget all, and end all watches."""
        self._lacking.clear()
        self._refused.clear()
        await self._follow()

    def sights(self) -> Iterable[Sight]:
        """Return how each watch stands."""
        return [reflector.sight() for reflector, _ in self._quotas.values()]

    # ------------------------------------------------------------------ what a reflector tells

    def see(self, live: Live) -> None:
        """A quota changed, or the use that is counted against it."""
        self._tell(live.ref.namespace)

    def gone(self, ref: ObjectRef, version: int) -> None:
        """A quota was deleted."""
        self._tell(ref.namespace)

    def replace(self, kind: ObjectKind, namespace: str, lives: Iterable[Live], version: int) -> None:
        """What was missed meanwhile isn't known: all may try."""
        self._tell(namespace)

    def passed(self, *_: Any) -> None:
        """Bookmarks are no news."""

    def _tell(self, namespace: str) -> None:
        for owner in [key for key in self._refused if key[0] == namespace]:
            self._on_change(owner)

    async def _follow(self) -> None:
        """Follow the quotas that stop somebody, and no others."""
        wanted = {namespace for namespace, _ in self._refused}
        for namespace in wanted - self._quotas.keys():
            reflector = Reflector(self._client, self, Source(QUOTA, namespace, "", full=False), self._settings)
            self._quotas[namespace] = reflector, reflector.start()
        ended = [self._quotas.pop(namespace)[1] for namespace in self._quotas.keys() - wanted]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


def _keep(owners: set[OwnerKey], owner: OwnerKey, stopped: bool) -> None:
    (owners.add if stopped else owners.discard)(owner)


def _is_quota(error: AIStackError) -> bool:
    """Whether a quota refused; Kubernetes says so in words alone."""
    return isinstance(error, ClusterError) and error.status == 403 and "exceeded quota" in str(error)
