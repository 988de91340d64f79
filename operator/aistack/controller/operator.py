"""Joins the parts of the operator: AIStacks as they are now, the queue, the engine's news, the pipeline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from aistack.api.group import API_VERSION, KIND
from aistack.catalog.models import Catalog
from aistack.cluster.client import Client, load_configuration
from aistack.cluster.engine import Engine
from aistack.cluster.login import Configuration, connection_info
from aistack.cluster.queue import WorkQueue
from aistack.cluster.settings import Settings
from aistack.cluster.shelf import Shelf
from aistack.cluster.sight import Sight
from aistack.controller.metrics import Metrics, Result
from aistack.controller.options import Options
from aistack.controller.passes import Passes
from aistack.controller.patience import EndlessBackoff
from aistack.controller.pieces import Pieces
from aistack.controller.releases import Releases
from aistack.controller.replica import election_of, served_by, serving_problem
from aistack.controller.serving import Serving
from aistack.controller.stacks import StackKey, Stacks, key_of
from aistack.controller.standing import ready_of
from aistack.errors import AIStackError, ClusterError, NotReadyError
from aistack.objects.manifest import Manifest, ObjectKind
from aistack.objects.outcome import CHANGES, ObjectOutcome, Outcome
from aistack.pieces.keeper import PIECES
from aistack.pipeline import Pipeline
from aistack.sharing import BINDING, Sharing
from aistack.surroundings import definitions_problem, require_server

log = structlog.get_logger(__name__)

SERVED_TRIES, SERVED_PAUSE = 40, 0.5
"""How often, and with how many seconds between, we ask whether AIStacks are served."""

LONGEST_PASS = 900.0
"""Seconds after which a pass is taken for stuck: none waits for a rollout, and every request ends."""


class Operator:
    """Everything that runs in the operator's process, but kopf."""

    def __init__(
        self,
        configuration: Configuration,
        catalog: Catalog,
        settings: Settings,
        options: Options | None = None,
    ) -> None:
        options = options or Options()
        self.metrics = Metrics()
        self.stacks = Stacks()
        self.queue: WorkQueue[StackKey] = WorkQueue(self._work, options.workers, fields=log_fields)
        self._configuration = configuration
        self.client = client = Client(configuration, settings.field_manager)
        lease_client = Client(configuration, settings.field_manager)
        self.election = election_of(lease_client, settings, options.identity)
        client.let(self.election.require)
        for each in (client, lease_client):
            each.hooks.append(self.metrics.called)
        self._engine = Engine(client, settings, on_change=self.queue.add)
        self._bindings = Shelf(client, settings, BINDING, self._bound)
        sharing = Sharing(client, self._bindings)
        own = options.release
        named = replace(catalog, release=own.name) if own else catalog
        self._pieces = Pieces(client, settings, named, self._all_stacks, self._touch)
        self._releases = Releases(client, settings.namespace, self._pieces.stock, own)
        pipeline = Pipeline(
            client,
            self._engine,
            self._releases.catalog_of,
            sharing,
            options.accounts.of,
            on_outcome=self._applied,
        )
        serving = Serving(client, settings.namespace, options.take_over)
        self._passes = Passes(client, self.stacks, serving, pipeline, self._pieces.seen, self.queue.add)
        self._serves = served_by(settings)
        self._task: asyncio.Task[None] | None = None
        self._prepared = False

    @classmethod
    async def connect(
        cls, catalog: Catalog, settings: Settings, options: Options, kubeconfig: str = "", context: str = ""
    ) -> Operator:
        """Make an operator that talks to a cluster.

        Args:
            catalog: what can be installed.
            settings: the engine's, which say where inventories are kept and what is served.
            options: how it goes about its work.
            kubeconfig: credentials; by default those of the environment.
            context: which of the kubeconfig's contexts.
        """
        return cls(await load_configuration(kubeconfig, context), catalog, settings, options)

    async def start(self) -> None:
        """Look at the cluster, then start watches, and work when it is this replica's turn.

        Raises:
            InvalidError: the cluster is too old.
            NotReadyError: it can't be asked.
        """
        found = await require_server(self.client)
        if found.remedy:
            log.warning("untested Kubernetes", version=str(found), remedy=found.remedy)
        if problem := await definitions_problem(self.client):
            log.error("definitions", problem=problem)  # served as well as can be: they may come later
        await self.election.attempt()
        if not self.election.leads:
            self._wait_warm()
            await self._engine.start()
        await self._bindings.start()
        await self._pieces.start()
        self._task = asyncio.create_task(self.election.run(self._lead), name="election")
        self._task.add_done_callback(_tell_end)

    def _wait_warm(self) -> None:
        told = serving_problem(self.election, self._serves)
        note = log.warning if told else log.info
        note("waits for its turn", leader=self.election.leader, **({"problem": told} if told else {}))

    async def _lead(self) -> None:
        """Work on all stacks, as the leader, until cancelled; what another leader wrote meanwhile is read first."""
        self._prepared = False
        for pause in EndlessBackoff():
            try:
                await self._engine.start()
                await self._releases.prepare()
                await self._pieces.prepare()
                break
            except NotReadyError as error:
                log.warning("can't lead yet, tries again", error=str(error))
                await asyncio.sleep(pause)
        for key in self.stacks:
            self.queue.add(key)
        self._prepared = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pieces.queue.run())
            group.create_task(self.queue.run())

    async def resign(self) -> None:
        """Stop work and let another replica lead; what was under way is taken up by the next leader."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def stop(self) -> None:
        """Stop everything."""
        await self.resign()
        await self.election.give_back()  # if it was won and the work didn't begin
        await self._bindings.stop()
        await self._pieces.stop()
        await self._engine.stop()
        await self.election.close()
        await self.client.close()

    @property
    def unhealthy(self) -> str:
        """Say why this process must be started anew; empty if it needn't."""
        if self._task and self._task.done():
            return "the election ended"
        if self.queue.longest > LONGEST_PASS:
            return f"a pass takes {self.queue.longest:.0f} s"
        return ""

    @property
    def unready(self) -> str:
        """Say why this replica can't do its part, to work or to wait warm; empty if it can."""
        if self._task is None:
            return "it has not started"
        if self.election.trouble:
            return self.election.trouble
        return "" if self._prepared or not self.election.leads else "it reads the inventories"

    def sights(self) -> list[Sight]:
        """Return how each watch stands, but kopf's."""
        return [*self._engine.sights(), *self._bindings.sights(), *self._pieces.sights()]

    def objects(self) -> dict[str, int]:
        """Return how many objects are in memory, by kind."""
        ours = {KIND: len(self.stacks), BINDING.kind: len(self._bindings), PIECES.kind: len(self._pieces)}
        return {**self._engine.objects(), **ours}

    @property
    def catalog(self) -> Catalog:
        """What stacks are planned from, now."""
        return self._pieces.catalog

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
        known = self.stacks.get(key_of(stack))
        if deleted:
            self.stacks.forget(stack)
            self._pieces.seen(stack, None)
        elif self.stacks.see(stack):
            self._pieces.seen(known, stack)
            self._passes.told(key_of(stack))
            self.queue.add(key_of(stack))

    def defined(self, definition: Manifest) -> None:
        """Take note of the event of a definition of a kind."""
        spec = definition["spec"]
        for version in spec["versions"]:
            if version["served"]:
                self._engine.defined(ObjectKind(f"{spec['group']}/{version['name']}", spec["names"]["kind"]))

    def _all_stacks(self) -> list[Manifest]:
        return [live for key in self.stacks if (live := self.stacks.get(key))]

    def _touch(self, stack: Manifest) -> None:
        self.queue.add(key_of(stack))

    def _bound(self, binding: Manifest) -> None:
        """Take note of news of an AIBinding: its stack is worked on."""
        self.queue.add((binding["metadata"]["namespace"], str(binding.get("spec", {}).get("stack", ""))))

    async def _work(self, key: StackKey) -> float:
        """Pass over a stack, and count how it went."""
        started = time.monotonic()
        outcome, reason = "failed", "Unexpected"
        try:
            delay = await self._passes.work(key)
            outcome, reason = "done", ready_of((self.stacks.get(key) or {}).get("status", {}))[1]
        except AIStackError as error:
            reason = type(error).__name__
            raise
        finally:
            self.metrics.passed(Result(outcome, reason, time.monotonic() - started))
        return delay

    def _applied(self, outcome: Outcome) -> None:
        """Tell what was done to a stack's objects."""
        self.metrics.applied(outcome)
        for unit in outcome.units.values():
            log_changes(unit.name, unit.objects)
        log_changes("", outcome.removed)


def log_fields(key: StackKey) -> dict[str, str]:
    """Return what a stack is called in logs."""
    return {"namespace": key[0], "stack": key[1]}


def log_changes(component: str, objects: Iterable[ObjectOutcome]) -> None:
    """Log what was done to objects."""
    for item in objects:
        if item.verb in CHANGES:
            of = {"component": component} if component else {}
            log.info(f"object {item.verb}", object=f"{item.ref.kind}/{item.ref.name}", **of)


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("the election ended", exc_info=task.exception())
