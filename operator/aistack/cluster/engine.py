"""The engine as callers see it: observe, apply, preview, delete; each is one pass that never waits for a rollout."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Self

from aistack.cluster.account import Account
from aistack.cluster.client import Client
from aistack.cluster.context import Context
from aistack.cluster.delete import delete_all
from aistack.cluster.discovery import is_missing_kind
from aistack.cluster.feuds import Feuds
from aistack.cluster.inventories import Inventories
from aistack.cluster.inventory import Inventory
from aistack.cluster.named import Named
from aistack.cluster.obstacles import Obstacles
from aistack.cluster.preview import Preview, preview_plan
from aistack.cluster.prune import prune
from aistack.cluster.settings import JOB, POD, SECRET, SERVICE_ACCOUNT, Settings
from aistack.cluster.sight import Sight
from aistack.cluster.store import OnChange, Store
from aistack.cluster.unit import run_units
from aistack.cluster.users import Users
from aistack.cluster.world import Listing, Watching, World
from aistack.errors import AwaitedError, ForbiddenError
from aistack.objects.manifest import ObjectKind
from aistack.objects.outcome import DeletionProgress, Outcome
from aistack.objects.plan import DriftPolicy, Observed, Owner, Plan
from aistack.objects.users import Sought

ALWAYS = frozenset({POD, SECRET, JOB})


class Engine:
    """Brings owners' objects to what plans say.

    Args:
        client: connection to the API server.
        settings: names and limits.
        on_change: called with an owner's namespace and name when something of it changed that a pass should look at.
        watching: False for commands that look once: objects are then listed anew by each call.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        on_change: OnChange = lambda _: None,
        watching: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._settings, self._clock = client, settings, clock
        self._since = clock()
        self._store = Store(settings.owner_label, on_change)
        self._obstacles = Obstacles(client, settings, on_change)
        self._world: World = (
            Watching(client, self._store, settings, self._obstacles.appeared)
            if watching
            else Listing(client, self._store, settings)
        )
        self._users = Users(client, settings, on_change, watching)
        self._accounts = Named(client, settings, SERVICE_ACCOUNT, on_change)
        self._inventories = Inventories(client, settings)
        self._feuds = Feuds()

    async def start(self) -> None:
        """Read all inventories anew and watch all that they name; again when this replica's turn comes.

        Raises:
            ClusterError: the inventories can't be read.
        """
        self._since = self._clock()
        inventories = await self._inventories.load_all()
        async with asyncio.TaskGroup() as group:
            for (namespace, name), inventory in inventories:
                if self._settings.serves(namespace):
                    group.create_task(self._world.ensure(self._kinds(inventory), Owner(namespace, name, "")))

    async def stop(self) -> None:
        """End all watches."""
        await self._world.stop()
        await self._users.stop()
        await self._accounts.stop()
        await self._obstacles.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def degraded(self) -> Mapping[str, str]:
        """Return the kinds that can't be followed at present, and why."""
        return self._world.degraded()

    def sights(self) -> Iterable[Sight]:
        """Return how each watch on owners' objects, and on what stops them, stands."""
        return [*self._world.sights(), *self._obstacles.sights()]

    def objects(self) -> Mapping[str, int]:
        """Return how many objects are in memory, by kind."""
        return self._store.sizes()

    def defined(self, kind: ObjectKind) -> None:
        """Take note that a kind was defined in the cluster: whoever waits for it gets on at once."""
        self._world.defined(kind)

    async def observe(self, owner: Owner, sought: Sought | None = None) -> Observed:
        """Return what planning needs to know of the world.

        Args:
            owner: whose objects.
            sought: users' Secrets that the plan refers to; their changes are told from now on.

        Raises:
            AwaitedError: the owner's account doesn't exist.
            ClusterError: the inventory or such a Secret can't be read, or part of the world is unknown: what isn't seen
                would be taken for lost, and its successor planned.
        """
        if not await self._has_account(owner):
            raise _no_account(owner)
        ctx = await self._open(owner)
        self._require_sight(owner)
        live = self._store.of(owner.key)
        # Of other kinds only metadata is known, which tells planning nothing.
        kinds = self._settings.full_kinds - {POD.kind}
        objects = {item.ref: item.manifest for item in live if item.ref.kind in kinds}
        users = await self._users.read(owner.key, sought or {}, ctx.actor)
        return Observed(objects, dict(ctx.inventory.secrets(live)), users)

    async def apply(self, plan: Plan, owner: Owner) -> Outcome:
        """Bring the owner's objects to the plan as far as they are ready.

        Raises:
            ClusterError: the inventory can't be read or stored; nothing is written then.
        """
        ctx = await self._open(owner, _kinds_of(plan), plan.drift)
        ctx.inventory.intend(plan)
        await self._inventories.save(owner)
        units = await run_units(ctx, plan)
        removed = await prune(ctx, plan, units)
        await self._inventories.save(owner)
        wake = min(ctx.wakes, default=0.0)
        outcome = Outcome(units, tuple(removed.outcomes), tuple(removed.errors), wake)
        await self._obstacles.note(owner.key, outcome.all_errors)
        return outcome

    async def dry_run(self, plan: Plan, owner: Owner) -> Preview:
        """Say what ``apply`` would change, without writing anything.

        Raises:
            ClusterError: the cluster can't be asked.
        """
        ctx = await self._open(owner, _kinds_of(plan), plan.drift)
        ctx.dry_run = True
        return await preview_plan(ctx, plan)

    async def delete(self, owner: Owner, retain: bool) -> DeletionProgress:
        """Delete the owner's objects as far as one pass can; data is kept and marked when ``retain`` is set.

        An account that is gone, and may delete no more, leaves the rest where it is.

        Raises:
            ClusterError: the inventory can't be read or stored, or part of the world is unknown: what isn't seen, and
                no inventory remembers, would be left behind.
        """
        ctx = await self._open(owner)
        self._require_sight(owner)
        await self._users.forget(owner.key)
        progress = await delete_all(ctx, retain)
        await self._inventories.save(owner)
        if await self._is_stranded(owner, progress):
            progress = DeletionProgress(left=_stranded(ctx.inventory, retain))
        await self._obstacles.note(owner.key, progress.errors)
        if progress.done:
            await self._accounts.forget(owner.key)
        return replace(progress, retry_after=min(ctx.wakes, default=0.0))

    async def _has_account(self, owner: Owner) -> bool:
        """Whether the account that the owner's objects are made as exists; it is followed from now on."""
        found = await self._accounts.versions(owner.key, filter(None, [owner.account]))
        return all(found.values())

    async def _is_stranded(self, owner: Owner, progress: DeletionProgress) -> bool:
        """Whether a deletion can't go on, as its account is gone and lacks a right."""
        refused = any(isinstance(error, ForbiddenError) for error in progress.errors)
        return refused and not await self._has_account(owner)

    def _actor(self, owner: Owner) -> Client:
        if not owner.account:
            return self._client
        return self._client.acting_as(Account(owner.namespace, owner.account, self._settings.account_role))

    async def _open(
        self, owner: Owner, kinds: Iterable[ObjectKind] = (), drift: DriftPolicy = DriftPolicy.ENFORCE
    ) -> Context:
        """Gather what is known of an owner; objects of ours that the inventory doesn't have are added to it."""
        inventory = await self._inventory(owner)
        await self._world.ensure(self._kinds(inventory) | frozenset(kinds), owner)
        inventory.identify(owner, self._store.of(owner.key), self._settings)
        return Context(
            self._client,
            self._actor(owner),
            self._settings,
            self._store,
            self._world,
            inventory,
            owner,
            self._clock,
            drift=drift,
            since=self._since,
            feuds=self._feuds,
        )

    def _require_sight(self, owner: Owner) -> None:
        """Raise why Secrets, or a kind that is watched from the start, can't be seen, if so.

        Raises:
            AIStackError: it can't be listed.
        """
        for kind in (SECRET, *self._settings.kinds):
            problem = self._world.problem(kind, owner.namespace)
            if problem is not None and not is_missing_kind(problem):
                raise problem

    async def _inventory(self, owner: Owner) -> Inventory:
        try:
            return await self._inventories.load(owner)
        except ForbiddenError:
            # Users who may not read the operator's namespace still get a preview, by labels and managers alone.
            if isinstance(self._world, Watching):
                raise
            return Inventory()

    def _kinds(self, inventory: Inventory) -> frozenset[ObjectKind]:
        return ALWAYS | frozenset(self._settings.kinds) | {ref.object_kind for ref in inventory.records}


def _stranded(inventory: Inventory, retain: bool) -> tuple[str, ...]:
    """Return what should have been deleted; data that is kept isn't meant."""
    return tuple(str(ref) for ref, record in sorted(inventory.records.items()) if not (retain and record.retain))


def _no_account(owner: Owner) -> AwaitedError:
    problem = f"namespace {owner.namespace!r} has no ServiceAccount {owner.account!r} to act as"
    make = f"kubectl -n {owner.namespace} create serviceaccount {owner.account}"
    return AwaitedError("spec.serviceAccountName", problem, f"name one that exists, or make it: {make}")


def _kinds_of(plan: Plan) -> frozenset[ObjectKind]:
    return frozenset(step.ref.object_kind for unit in plan.units for step in (*unit.objects(), *unit.jobs()))
