"""Where a component is tried: a namespace of its own, which takes restricted pods alone, with one stack in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aistack.api.conditions import ConditionType
from aistack.api.group import API_VERSION, BINDING_KIND, KIND, PROVE
from aistack.api.labels import EDGE, selector, selector_labels
from aistack.api.spec import AIStack
from aistack.api.status import EdgeState, EdgeStatus
from aistack.catalog.models import Catalog
from aistack.cli.asking import carried_out, request
from aistack.cli.durations import format_duration
from aistack.cli.stacks import Stacks
from aistack.cli.standing import is_true, understood
from aistack.cli.waiting import Goal, ended
from aistack.cluster.client import Client
from aistack.errors import NonconformingError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef, ref_of

STACK = "trial"
LEVEL = {"pod-security.kubernetes.io/enforce": "restricted"}
POD, JOB = ObjectKind("v1", "Pod"), ObjectKind("batch/v1", "Job")


@dataclass
class Place:
    """One namespace.

    Args:
        client: the cluster.
        stacks: the AIStacks that it sees.
        catalog: what can be installed.
        namespace: its name; it must not exist.
        images: ``spec.images`` of the stacks made here.
        patience: seconds that a stack may take to be ready and proven.
    """

    client: Client
    stacks: Stacks
    catalog: Catalog
    namespace: str
    images: Mapping[str, Any] = field(default_factory=dict)
    patience: float = 600.0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Place]:
        """Make the namespace; take it away at the end, with all that is in it.

        Raises:
            ClusterError: it is there already, or may not be made.
        """
        metadata = {"name": self.namespace, "labels": dict(LEVEL)}
        made = (await self.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})).result()
        try:
            yield self
        finally:
            await self.clear()
            await self.client.delete(ref_of({**made, "apiVersion": "v1", "kind": "Namespace"}), made["metadata"]["uid"])

    # ------------------------------------------------------------------ the stack

    async def run(self, components: Iterable[str], **settings: Mapping[str, Any]) -> AIStack:
        """Have a stack of these components and wait until it is ready and each connection is proven.

        Args:
            components: their names.
            settings: more fields of ``spec.components[]``, by component.

        Raises:
            NonconformingError: it doesn't become so.
        """
        entries = [{"name": name, **settings.get(name, {})} for name in components]
        spec = {"components": entries, "deletionPolicy": "Delete", "images": dict(self.images)}
        metadata = {"name": STACK, "namespace": self.namespace}
        await self.stacks.apply({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})
        await self.reach(Goal.READY)
        return await self.reach(Goal.PROVEN)

    async def reach(self, goal: Goal) -> AIStack:
        """Wait until the stack is at a goal; a stack without connections counts as proven.

        Raises:
            NonconformingError: it isn't in time, or can't be.
        """
        last: AIStack | None = None
        try:
            async with asyncio.timeout(self.patience), aclosing(self.stacks.follow(self.namespace, STACK)) as looks:
                async for live in looks:
                    last = understood(live) if live else last
                    ending = _ending(understood(live) if live else None, goal)
                    if ending is not None:
                        break
        except TimeoutError:
            ending = f"not {goal} after {format_duration(self.patience)}"
        if ending:
            raise NonconformingError(f"{ending}: {last.status.message if last else 'no operator has looked at it'}")
        return last or understood(await self.stacks.get(self.namespace, STACK))

    async def until(self, holds: Callable[[], Awaitable[bool]], otherwise: str, seconds: float = 0.0) -> None:
        """Ask once a second, as it takes minutes at most, until something is so.

        Raises:
            NonconformingError: it doesn't become so, in ``otherwise``'s words.
        """
        try:
            async with asyncio.timeout(seconds or self.patience):
                while True:
                    if await holds():
                        return
                    await asyncio.sleep(1)
        except TimeoutError:
            raise NonconformingError(f"{otherwise} after {format_duration(seconds or self.patience)}") from None

    async def prove(self) -> Sequence[EdgeStatus]:
        """Have each connection do its work again, and return how they are.

        Raises:
            NonconformingError: one is broken, or wasn't tried in time.
        """
        live, asked = await self.stacks.get(self.namespace, STACK), request()
        edges: Sequence[EdgeStatus] = ()
        try:
            tries = carried_out(self.stacks, live, PROVE, asked, lambda s: s.status.last_handled_prove, self.patience)
            async for stack, _ in tries:
                edges = stack.status.edges
        except TimeoutError:
            raise NonconformingError(f"its proofs took longer than {format_duration(self.patience)}") from None
        if broken := [edge for edge in edges if edge.state is not EdgeState.PROVEN]:
            raise NonconformingError("; ".join(f"{edge.name}: {edge.message or edge.state}" for edge in broken))
        return edges

    async def bind(self, contract: str) -> None:
        """Give an app a share of a contract, beside those that it has."""
        metadata = {"name": f"to-{contract}", "namespace": self.namespace}
        spec = {"stack": STACK, "contract": contract}
        manifest = {"apiVersion": API_VERSION, "kind": BINDING_KIND, "metadata": metadata, "spec": spec}
        (await self.client.apply(manifest)).result()

    async def clear(self) -> None:
        """Delete the stack and what binds to it, and wait until both are gone.

        Raises:
            NonconformingError: they don't go.
        """
        kind = ObjectKind(API_VERSION, BINDING_KIND)
        for binding in (await self.client.list(kind, self.namespace)).result()["items"]:
            ref = ObjectRef(kind.api_version, kind.kind, self.namespace, binding["metadata"]["name"])
            await self.client.delete(ref, binding["metadata"]["uid"])
        if live := await self.stacks.find(self.namespace, STACK):
            await self.stacks.delete(live)
            await self.reach(Goal.DELETED)

    # ------------------------------------------------------------------ its objects

    async def objects(self, kind: ObjectKind, labels: Mapping[str, str]) -> list[Manifest]:
        """Return the objects of a kind that carry labels."""
        reply = await self.client.list(kind, self.namespace, labelSelector=selector(labels))
        return [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in reply.result()["items"]]

    async def pods(self, component: str) -> list[Manifest]:
        """Return the serving pods of a component that run."""
        labels = {key: value for key, value in selector_labels(STACK, component, "").items() if value}
        found = await self.objects(POD, labels)
        return [pod for pod in found if pod["status"].get("phase") == "Running"]

    async def claims(self) -> set[str]:
        """Return the UIDs of the Jobs that claimed a share, of those that are still there."""
        reply = await self.client.list(JOB, self.namespace, labelSelector=EDGE)
        return {job["metadata"]["uid"] for job in reply.result()["items"]}


def _ending(stack: AIStack | None, goal: Goal) -> str | None:
    if goal is Goal.PROVEN and stack is not None and is_true(stack, ConditionType.READY) and not stack.status.edges:
        return ""
    return ended(stack, goal)
