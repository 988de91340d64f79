"""The pipeline: observe, plan, apply, summarize: one level-triggered ``reconcile`` for every reason there is.

Create, update, resume, a child's change, a retry and a restart all come here with the stack as it is now. Nothing is
remembered between two calls that matters outside the cluster, so the process may be killed at any line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from aistack.api.conditions import Reason
from aistack.api.group import API_VERSION, FINALIZER, KIND
from aistack.api.parse import parse_stack
from aistack.api.refused import unparsed_stack
from aistack.api.spec import AIStack, DeletionPolicy, status_manifest
from aistack.api.status import AIStackStatus
from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.events import emit
from aistack.cluster.preview import Preview
from aistack.errors import AIStackError, NotReadyError, SpecError
from aistack.objects.manifest import Manifest, ObjectRef, replacing
from aistack.objects.outcome import DeletionProgress, Outcome
from aistack.objects.plan import Owner
from aistack.planning.edges import news
from aistack.planning.external import sought
from aistack.planning.plan import Planned, owner_of
from aistack.planning.summarize import (
    left_behind,
    summarize,
    summarize_deletion,
    summarize_refusal,
    summarize_suspension,
)
from aistack.plans import Plans
from aistack.sharing import Sharing, utc_now

FOREIGN_RETRY = 60.0
"""Seconds between looks at what stopped a stack and can't be watched, e.g. somebody else's object."""


CatalogOf = Callable[[AIStack], Awaitable[Catalog]]
"""Returns the catalog that a stack is planned from, as it is now."""


def always(catalog: Catalog) -> CatalogOf:
    """Plan every stack from one catalog that never changes."""

    async def catalog_of(_: AIStack) -> Catalog:
        return catalog

    return catalog_of


def as_oneself(_: AIStack) -> str:
    """Name no account: whoever is logged in acts."""
    return ""


@dataclass(frozen=True)
class Pipeline:
    """Reconciles stacks.

    Args:
        client: talks to the API server about the AIStack itself.
        engine: brings its objects to what the plan says.
        catalog_of: tells what can be installed for a stack.
        sharing: knows what apps of users' own ask of stacks.
        account_of: names the ServiceAccount as whom a stack's objects are made; empty for whoever is logged in.
        on_outcome: told of what came of each plan.
        clock: tells the time for conditions.
    """

    client: Client
    engine: Engine
    catalog_of: CatalogOf
    sharing: Sharing
    account_of: Callable[[AIStack], str] = as_oneself
    on_outcome: Callable[[Outcome], None] = lambda _: None
    clock: Callable[[], datetime] = utc_now
    plans: Plans = field(init=False)

    def __post_init__(self) -> None:
        """Keep recent plans."""
        object.__setattr__(self, "plans", Plans())

    async def reconcile(self, live: Manifest) -> tuple[Manifest, float]:
        """Bring the cluster one pass closer to what a stack asks for.

        Args:
            live: the AIStack as the API server has it.

        Returns:
            The AIStack after our own writes, and the seconds after which it wants another pass (0: when something
            changes).

        Raises:
            NotReadyError: the API server couldn't be asked; try again with backoff.
        """
        try:
            stack = parse_stack(live)
        except SpecError as error:
            stack = unparsed_stack(live)
            if not stack.deleting:
                return await self._refuse(live, stack, error)
        if stack.deleting:
            return await self._delete(live, stack)
        if stack.spec.suspend:
            await self.sharing.await_stack(stack, "its stack is suspended")
            return await self._report(live, stack, summarize_suspension(stack, self.clock())), 0
        return await self._apply(live, stack)

    async def orphans(self, namespace: str, name: str) -> None:
        """Tell bindings whose stack isn't known that there is none; those that are to go may go.

        Raises:
            NotReadyError: the API server couldn't be asked.
        """
        if await self.sharing.asked_of(namespace, name):
            reply = await self.client.get(ObjectRef(API_VERSION, KIND, namespace, name))
            if reply.status == 404:  # else it will be told of
                await self.sharing.without_stack(namespace, name, f"no AIStack is named {name!r}")

    async def plan(self, stack: AIStack) -> Planned:
        """Plan a stack against what exists, off the event loop.

        Raises:
            InvalidError: the stack or the catalog is wrong.
            NotReadyError: the cluster can't be read.
        """
        catalog = await self.catalog_of(stack)
        observed = await self.engine.observe(self._owner(stack), sought(stack, catalog))
        bindings = await self.sharing.asked_of(stack.namespace, stack.name)
        return await self.plans.plan(stack, catalog, observed, bindings)

    async def preview(self, stack: AIStack) -> tuple[Planned, Preview]:
        """Plan a stack and ask what applying it would change; nothing is written.

        Raises:
            InvalidError: the stack or the catalog is wrong.
            NotReadyError: the cluster can't be read.
        """
        planned = await self.plan(stack)
        return planned, await self.engine.dry_run(planned.plan, self._owner(stack))

    async def _apply(self, live: Manifest, stack: AIStack) -> tuple[Manifest, float]:
        try:
            planned = await self.plan(stack)
        except AIStackError as error:
            return await self._refuse(live, stack, error)
        live = await self._hold(live, stack)
        await self.sharing.hold(app.binding for app in planned.apps if app.unit)
        try:
            outcome = await self.engine.apply(planned.plan, self._owner(stack))
        except AIStackError as error:
            return await self._refuse(live, stack, error)
        self.on_outcome(outcome)
        status = summarize(planned, outcome, self.clock())
        live = await self._report(live, stack, status)
        await self.sharing.report(planned, outcome, status.edges)
        for reason, message in news(stack.status.edges, status.edges):
            await emit(self.client, live, reason, message, self.clock(), warning=reason is Reason.EDGE_BROKEN)
        return live, _pause(outcome.all_errors, outcome.retry_after)

    async def _refuse(self, live: Manifest, stack: AIStack, error: AIStackError) -> tuple[Manifest, float]:
        """Say in the status why nothing could be done; what may pass by itself is raised again."""
        live = await self._report(live, stack, summarize_refusal(stack, error, self.clock()))
        await self.sharing.await_stack(stack, f"waits for its stack: {error}")
        if isinstance(error, NotReadyError):
            raise error
        return live, 0

    async def _delete(self, live: Manifest, stack: AIStack) -> tuple[Manifest, float]:
        if FINALIZER not in stack.metadata.finalizers:
            return live, 0
        retain = stack.spec.deletion_policy is DeletionPolicy.RETAIN
        try:
            progress = await self.engine.delete(self._owner(stack), retain)
        except AIStackError as error:
            live = await self._report(live, stack, summarize_deletion(stack, (str(error),), self.clock()))
            return live, _pause([error], 0)
        await self.sharing.without_stack(stack.namespace, stack.name, "its stack is being deleted")
        if progress.left:
            message = left_behind(stack, progress.left)
            await emit(self.client, live, Reason.LEFT_BEHIND, message, self.clock(), warning=True)
        if progress.done:
            return await self._release(live, stack), 0
        live = await self._report(live, stack, self._deletion_status(stack, progress))
        return live, _pause(progress.errors, progress.retry_after)

    def _owner(self, stack: AIStack) -> Owner:
        return owner_of(stack, self.account_of(stack))

    def _deletion_status(self, stack: AIStack, progress: DeletionProgress) -> AIStackStatus:
        waiting = (*(str(e) for e in progress.errors), *progress.waiting_for)
        return summarize_deletion(stack, waiting, self.clock())

    async def _hold(self, live: Manifest, stack: AIStack) -> Manifest:
        """Add our finalizer before the first object is made."""
        if FINALIZER in stack.metadata.finalizers:
            return live
        return await self._set_finalizers(live, [*stack.metadata.finalizers, FINALIZER])

    async def _release(self, live: Manifest, stack: AIStack) -> Manifest:
        return await self._set_finalizers(live, [f for f in stack.metadata.finalizers if f != FINALIZER])

    async def _set_finalizers(self, live: Manifest, finalizers: list[str]) -> Manifest:
        metadata = {"finalizers": finalizers, "resourceVersion": live["metadata"]["resourceVersion"]}
        reply = await self.client.merge(_ref(live), {"metadata": metadata})
        return reply.result()

    async def _report(self, live: Manifest, stack: AIStack, status: AIStackStatus) -> Manifest:
        """Write the status, if it changed; whose the stack is isn't decided here."""
        status = status.model_copy(update={"operator": stack.status.operator})
        if status == stack.status:
            return live
        patch = {"status": replacing(live.get("status", {}), status_manifest(status))}
        reply = await self.client.merge(_ref(live), patch, subresource="status")
        return reply.result()


def _pause(errors: Iterable[AIStackError], otherwise: float) -> float:
    """Return the seconds until the next pass is due even if nothing that we watch changes.

    Raises:
        NotReadyError: the first error that may pass by itself, so that the queue backs off.
    """
    found = list(errors)
    for error in found:
        if isinstance(error, NotReadyError):
            raise error
    return min(filter(None, (FOREIGN_RETRY if found else 0.0, otherwise)), default=0.0)


def _ref(live: Manifest) -> ObjectRef:
    metadata = live["metadata"]
    return ObjectRef(API_VERSION, KIND, metadata["namespace"], metadata["name"])
