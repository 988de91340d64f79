"""One pass over a stack at a time: is it there, is it ours, then the pipeline, then what its answer tells."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from aistack.api.group import API_VERSION, KIND
from aistack.cluster.client import Client
from aistack.controller.serving import Serving
from aistack.controller.stacks import StackKey, Stacks, asked, key_of
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.pipeline import Pipeline

log = structlog.get_logger(__name__)


class Passes:
    """Works on stacks, each time the queue says so.

    Args:
        client: asks for a stack that nobody told of.
        stacks: as last seen; kept up to date with the answers to our own writes.
        serving: tells whether a stack is this operator's.
        pipeline: does the work.
        seen: called with a stack before and after its pass.
        wake: called with a stack that is to be worked on once more.
    """

    def __init__(
        self,
        client: Client,
        stacks: Stacks,
        serving: Serving,
        pipeline: Pipeline,
        seen: Callable[[Manifest | None, Manifest | None], None],
        wake: Callable[[StackKey], object],
    ) -> None:
        self._client, self._stacks, self._serving, self._pipeline = client, stacks, serving, pipeline
        self._seen, self._wake = seen, wake
        self._told: set[StackKey] = set()
        """Stacks that kopf told of since they were last worked on: they exist."""

    def told(self, key: StackKey) -> None:
        """Take note that kopf told of a stack."""
        self._told.add(key)

    async def work(self, key: StackKey) -> float:
        """Pass over a stack.

        Returns:
            Seconds after which it is to be passed over again; 0 for never.

        Raises:
            AIStackError: the pass couldn't be ended; it is to be tried again.
        """
        if key in self._told:
            self._told.discard(key)
        else:
            await self._look(key)
        live = self._stacks.get(key)
        if live is None:
            await self._pipeline.orphans(*key)
            return 0
        claimed = await self._serving.claim(live)
        if claimed is None:
            return 0
        live = claimed
        after, delay = await self._pipeline.reconcile(live)
        _log_change(live, after)
        self._seen(live, after)
        if after["metadata"].get("deletionTimestamp") and not after["metadata"].get("finalizers"):
            self._stacks.forget(after)
        elif self._stacks.get(key) is not None:
            self._learn(live, after)
        return delay

    def _learn(self, before: Manifest, after: Manifest) -> None:
        """Take note of the answer to our own write of a status.

        It may be the first to tell of a change that somebody made meanwhile: that one's event is no news any more.
        """
        self._stacks.see(after)
        if asked(before) != asked(after):
            self._told.add(key_of(after))
            self._wake(key_of(after))

    async def _look(self, key: StackKey) -> None:
        """Ask for a stack that something else than its own event brought up, before anything is made for it.

        kopf never tells of one that was deleted while it didn't watch.
        """
        known = self._stacks.get(key)
        if known is None:
            return
        reply = await self._client.get(ObjectRef(API_VERSION, KIND, *key))
        if reply.status == 404:
            self._stacks.forget(known)
        elif self._stacks.get(key) is not None:  # it may have been told as deleted meanwhile
            self._stacks.see(reply.result())


def _log_change(before: Manifest, after: Manifest) -> None:
    old, new = (s.get("status", {}).get("message", "") for s in (before, after))
    if old != new:
        log.info("reconciled", message=new)
