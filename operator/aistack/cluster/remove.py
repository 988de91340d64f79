"""Objects taken away: only what is ours, only the very object (UID), data kept where that is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aistack.cluster.apply import fetch, mark_retained
from aistack.cluster.context import Context
from aistack.cluster.discovery import is_missing_kind
from aistack.cluster.live import Live
from aistack.cluster.records import Record
from aistack.cluster.settings import WORKLOADS
from aistack.errors import AIStackError, ClusterError
from aistack.objects.health import health_of
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import ObjectOutcome, Verb


@dataclass
class Removed:
    """What came of removing some objects."""

    outcomes: list[ObjectOutcome]
    waiting: list[ObjectRef]
    errors: list[AIStackError]

    def plus(self, other: Removed) -> Removed:
        """Join two results."""
        return Removed(self.outcomes + other.outcomes, self.waiting + other.waiting, self.errors + other.errors)


Keep = Callable[[Record], bool]
"""Decides whether an object is kept and marked instead of deleted."""


async def remove_wave(ctx: Context, records: Mapping[ObjectRef, Record], keep: Keep) -> Removed:
    """Remove the last of these objects, wave by wave, down to the first wave that doesn't go at once."""
    result = Removed([], [], [])
    for order in sorted({record.order for record in records.values()}, reverse=True):
        wave = [ref for ref, record in records.items() if record.order == order]
        await _remove_all(ctx, wave, keep, result)
        if result.waiting or result.errors:
            break
    return result


async def _remove_all(ctx: Context, refs: Iterable[ObjectRef], keep: Keep, result: Removed) -> None:
    async with asyncio.TaskGroup() as group:
        for ref in refs:
            group.create_task(_attempt(ctx, ref, keep, result))


async def _attempt(ctx: Context, ref: ObjectRef, keep: Keep, result: Removed) -> None:
    try:
        outcome = await remove(ctx, ref, keep(ctx.inventory.get(ref)))
    except AIStackError as error:
        result.errors.append(error)
        return
    if outcome is None:
        result.waiting.append(ref)
        if ctx.store.get(ref) is None:
            ctx.look_again()  # one that lost its label isn't watched
    else:
        result.outcomes.append(outcome)


async def remove(ctx: Context, ref: ObjectRef, keep: bool) -> ObjectOutcome | None:
    """Delete one object, or mark it as kept; None while it is still going.

    Raises:
        AIStackError: it can't be read, marked or deleted.
    """
    live = await _find(ctx, ref)
    if live is None or not ctx.ours(live):
        ctx.inventory.drop(ref)
        note = "" if live is None else "isn't ours any more; left alone"
        return ObjectOutcome(ref, Verb.DELETED, health_of(None), note)
    if live.terminating:
        return None
    return await (_keep(ctx, live) if keep else delete_live(ctx, live))


async def _find(ctx: Context, ref: ObjectRef) -> Live | None:
    """Look an object up, past the store if need be: it may have lost its label, or its creation went unanswered."""
    try:
        return ctx.store.get(ref) or await fetch(ctx, ref)
    except ClusterError as error:
        if is_missing_kind(error):
            return None  # the kind is gone, and all its objects with it
        raise


async def _keep(ctx: Context, live: Live) -> ObjectOutcome:
    if live.labels.get(ctx.settings.retained_label) != ctx.owner.name:
        await mark_retained(ctx, live.ref, live.uid, ctx.owner.name)
    ctx.inventory.update(live.ref, uid=live.uid, kept=True)
    return ObjectOutcome(live.ref, Verb.RETAINED, live.health)


async def delete_live(ctx: Context, live: Live) -> ObjectOutcome | None:
    """Delete one object, by its UID; None while it is still going.

    Raises:
        AIStackError: the API server refused.
    """
    propagation = "Foreground" if live.ref.kind in WORKLOADS else "Background"
    reply = await ctx.actor.delete(live.ref, live.uid, propagation)
    if reply.status == 409:  # the name is another object's by now: the next pass looks whose
        await fetch(ctx, live.ref)
        ctx.look_again()  # it may be the same one after all, of which no news comes
        return None
    if reply.status != 404 and reply.result().get("kind") != "Status":
        ctx.learn(reply.result(), live.ref)  # a finalizer holds it
        return None
    ctx.store.forget(live.ref)
    ctx.inventory.drop(live.ref)
    return ObjectOutcome(live.ref, Verb.DELETED, health_of(None))
