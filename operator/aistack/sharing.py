"""Sharing: reads what apps of users' own ask of stacks (AIBindings), and writes what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from aistack.api.binding import AIBinding, AIBindingStatus, parse_binding
from aistack.api.group import API_VERSION, BINDING_KIND, FINALIZER
from aistack.api.spec import AIStack
from aistack.api.status import EdgeStatus
from aistack.cluster.client import Client
from aistack.cluster.shelf import Shelf
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef, replacing
from aistack.objects.outcome import Outcome
from aistack.planning.app_status import revoked, summarize_app, summarize_without_stack
from aistack.planning.plan import Planned

BINDING = ObjectKind(API_VERSION, BINDING_KIND)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Sharing:
    """The AIBindings of a cluster.

    Args:
        client: writes them.
        shelf: has them as they are.
        clock: tells the time for conditions.
    """

    client: Client
    shelf: Shelf
    clock: Callable[[], datetime] = utc_now

    async def asked_of(self, namespace: str, stack: str) -> list[AIBinding]:
        """Return the bindings of one stack.

        Raises:
            NotReadyError: they can't be read.
        """
        found = [binding for live in await self.shelf.of(namespace) if (binding := _parsed(live))]
        return [binding for binding in found if binding.spec.stack == stack]

    async def hold(self, bindings: Iterable[AIBinding]) -> None:
        """Add our finalizer to bindings before anything is made for them.

        Raises:
            NotReadyError: one was changed meanwhile, or couldn't be written.
        """
        for binding in bindings:
            if not binding.deleting and FINALIZER not in binding.metadata.finalizers:
                await self._set_finalizers(binding, [*binding.metadata.finalizers, FINALIZER])

    async def report(self, planned: Planned, outcome: Outcome, edges: Iterable[EdgeStatus]) -> None:
        """Write what became of a stack's bindings; let those go whose credentials have ended.

        Raises:
            NotReadyError: one couldn't be written.
        """
        for app in planned.apps:
            if app.binding.deleting and revoked(app, outcome):
                await self._release(app.binding)
            else:
                await self._write(app.binding, summarize_app(planned, app, outcome, edges, self.clock()))

    async def await_stack(self, stack: AIStack, why: str) -> None:
        """Tell bindings that are new, or are to go, why nothing happens; what was said of others stays.

        Raises:
            NotReadyError: they couldn't be read, or written.
        """
        for binding in await self.asked_of(stack.namespace, stack.name):
            if binding.deleting or not binding.status.conditions:
                await self._write(binding, summarize_without_stack(binding, self.clock(), why))

    async def without_stack(self, namespace: str, stack: str, why: str) -> None:
        """Tell bindings why nobody serves them, and let those go that are to go.

        Raises:
            NotReadyError: they couldn't be read, or written.
        """
        for binding in await self.asked_of(namespace, stack):
            if binding.deleting:
                await self._release(binding)
            else:
                await self._write(binding, summarize_without_stack(binding, self.clock(), why))

    async def _release(self, binding: AIBinding) -> None:
        await self._set_finalizers(binding, [f for f in binding.metadata.finalizers if f != FINALIZER])

    async def _set_finalizers(self, binding: AIBinding, finalizers: list[str]) -> None:
        metadata = {"finalizers": finalizers, "resourceVersion": binding.metadata.resource_version}
        reply = await self.client.merge(_ref(binding), {"metadata": metadata})
        if reply.status != 404:
            self.shelf.learn(reply.result())

    async def _write(self, binding: AIBinding, status: AIBindingStatus) -> None:
        """Write a binding's status, if it changed."""
        if status == binding.status:
            return
        before, after = (s.model_dump(mode="json", by_alias=True, exclude_none=True) for s in (binding.status, status))
        reply = await self.client.merge(_ref(binding), {"status": replacing(before, after)}, subresource="status")
        if reply.status != 404:
            self.shelf.learn(reply.result())


def _parsed(live: Manifest) -> AIBinding | None:
    """Read a binding; one that another version of the definition let through is nobody's."""
    try:
        return parse_binding(live)
    except ValidationError:
        return None


def _ref(binding: AIBinding) -> ObjectRef:
    return ObjectRef(API_VERSION, BINDING_KIND, binding.metadata.namespace, binding.name)
