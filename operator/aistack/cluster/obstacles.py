"""What stops owners and isn't theirs: quotas, rights, kinds that the cluster lacks. They hear of it when it changes.

Quotas, Roles and RoleBindings are followed only while one stops somebody, in that namespace, by their versions alone.
Rights that a ClusterRole gives aren't: nobody should need to read all of a cluster's. What lacks a right is tried again
after half a minute besides (``ForbiddenError.patience``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aistack.cluster.client import Client
from aistack.cluster.discovery import is_missing_kind
from aistack.cluster.live import Live
from aistack.cluster.reflector import Reflector, Source
from aistack.cluster.settings import Settings
from aistack.cluster.sight import Sight
from aistack.cluster.store import OnChange
from aistack.errors import AIStackError, ClusterError, ForbiddenError
from aistack.objects.manifest import ObjectKind, ObjectRef
from aistack.objects.plan import OwnerKey

QUOTA = ObjectKind("v1", "ResourceQuota")
RBAC = "rbac.authorization.k8s.io/v1"
ROLE, ROLE_BINDING = ObjectKind(RBAC, "Role"), ObjectKind(RBAC, "RoleBinding")


def _is_quota(error: AIStackError) -> bool:
    """Whether a quota refused; Kubernetes says so in words alone."""
    return isinstance(error, ClusterError) and error.status == 403 and "exceeded quota" in str(error)


def _is_right(error: AIStackError) -> bool:
    return isinstance(error, ForbiddenError)


STOPPERS: Mapping[ObjectKind, Callable[[AIStackError], bool]] = {
    QUOTA: _is_quota,
    ROLE: _is_right,
    ROLE_BINDING: _is_right,
}
"""Kinds that may stop an owner in their namespace, and by which errors that is told."""


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
        self._stopped: dict[ObjectKind, set[OwnerKey]] = {kind: set() for kind in STOPPERS}
        """Who is stopped by an object of each kind."""
        self._watches: dict[tuple[ObjectKind, str], tuple[Reflector, asyncio.Task[None]]] = {}
        """What follows such objects in each namespace in which somebody is stopped."""

    async def note(self, owner: OwnerKey, errors: Iterable[AIStackError]) -> None:
        """Take note of what stopped an owner's pass."""
        found = tuple(errors)
        _keep(self._lacking, owner, any(map(is_missing_kind, found)))
        for kind, stops in STOPPERS.items():
            _keep(self._stopped[kind], owner, any(map(stops, found)))
        await self._follow()

    def appeared(self, _: ObjectKind) -> None:
        """Take note that a kind is there which the cluster lacked."""
        for owner in list(self._lacking):
            self._on_change(owner)

    async def stop(self) -> None:
        """Forget all, and end all watches."""
        self._lacking.clear()
        for stopped in self._stopped.values():
            stopped.clear()
        await self._follow()

    def sights(self) -> Iterable[Sight]:
        """Return how each watch stands."""
        return [reflector.sight() for reflector, _ in self._watches.values()]

    # ------------------------------------------------------------------ what a reflector tells

    def see(self, live: Live) -> None:
        """An object changed, or the use that is counted against it."""
        self._tell(live.ref.object_kind, live.ref.namespace)

    def gone(self, ref: ObjectRef, version: int) -> None:
        """An object was deleted."""
        self._tell(ref.object_kind, ref.namespace)

    def replace(self, kind: ObjectKind, namespace: str, lives: Iterable[Live], version: int) -> None:
        """What was missed meanwhile isn't known: all may try."""
        self._tell(kind, namespace)

    def passed(self, *_: Any) -> None:
        """Bookmarks are no news."""

    def _tell(self, kind: ObjectKind, namespace: str) -> None:
        for owner in [key for key in self._stopped[kind] if key[0] == namespace]:
            self._on_change(owner)

    async def _follow(self) -> None:
        """Follow what stops somebody, and nothing else."""
        wanted = {(kind, namespace) for kind, owners in self._stopped.items() for namespace, _ in owners}
        for kind, namespace in wanted - self._watches.keys():
            reflector = Reflector(self._client, self, Source(kind, namespace, "", full=False), self._settings)
            self._watches[kind, namespace] = reflector, reflector.start()
        ended = [self._watches.pop(watch)[1] for watch in self._watches.keys() - wanted]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


def _keep(owners: set[OwnerKey], owner: OwnerKey, stopped: bool) -> None:
    (owners.add if stopped else owners.discard)(owner)
