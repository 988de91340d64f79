"""What applying a plan would change, asked of the API server itself (server-side dry run); nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from aistack.cluster.apply import settled, tolerated, write
from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.cluster.prune import keeps, superfluous
from aistack.errors import AIStackError, ForeignObjectError
from aistack.objects.diff import Change, FieldChange, ObjectChange, field_changes, project
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject, CreateSecret, Plan, RunAction, Strategy
from aistack.objects.recipes import describe


@dataclass(frozen=True)
class Preview:
    """Changes in plan order, removals last; errors are what ``apply`` would meet."""

    changes: tuple[ObjectChange, ...] = ()
    errors: tuple[AIStackError, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.errors and all(change.change is Change.NONE for change in self.changes)


async def preview_plan(ctx: Context, plan: Plan) -> Preview:
    """Ask what would change; suspended units don't."""
    asked = [_change(ctx, step) for u in plan.units if not u.suspended for step in (*u.prepare, *u.actions, *u.run)]
    answers = await asyncio.gather(*(_attempt(question) for question in asked))
    removals = [
        ObjectChange(ref, Change.RETAIN if keeps(plan, record) else Change.DELETE)
        for ref, record in superfluous(ctx, plan).items()
        if ctx.store.get(ref) is not None
    ]
    return Preview(
        (*(a for a in answers if isinstance(a, ObjectChange)), *removals),
        tuple(a for a in answers if isinstance(a, AIStackError)),
    )


async def _attempt(question: Awaitable[ObjectChange]) -> ObjectChange | AIStackError:
    try:
        return await question
    except AIStackError as error:
        return error


async def _change(ctx: Context, step: ApplyObject | CreateSecret | RunAction) -> ObjectChange:
    ctx.require(step.ref)
    live = ctx.store.get(step.ref)
    if isinstance(step, RunAction):
        done = ctx.inventory.get(step.ref).succeeded or live is not None
        return ObjectChange(step.ref, Change.NONE if done else Change.RUN)
    if isinstance(step, CreateSecret):
        return await _secret(ctx, step, live)
    return await _object(ctx, step, live)


async def _secret(ctx: Context, step: CreateSecret, live: Live | None) -> ObjectChange:
    if live is not None:
        if not ctx.ours(live):
            raise ForeignObjectError(str(step.ref))
        return ObjectChange(step.ref, Change.NONE)
    fields = tuple(FieldChange(f".data.{key}", None, describe(recipe)) for key, recipe in step.recipes.items())
    return ObjectChange(step.ref, Change.CREATE, fields)


async def _object(ctx: Context, step: ApplyObject, live: Live | None) -> ObjectChange:
    if settled(ctx, step):
        return ObjectChange(step.ref, Change.NONE)
    if note := tolerated(ctx, step):
        return ObjectChange(step.ref, Change.NONE, note=note)
    before = (await ctx.client.get(step.ref)).result() if live is not None else None
    if before is not None and step.strategy is not Strategy.APPLY:
        return ObjectChange(step.ref, Change.RECREATE, field_changes(project(before, step.manifest), step.manifest))
    return await _ask(ctx, step, live, before)


async def _ask(ctx: Context, step: ApplyObject, live: Live | None, before: Manifest | None) -> ObjectChange:
    written = await write(ctx, step, live)
    if written is None:
        return ObjectChange(step.ref, Change.UPDATE, note="waits until its predecessor is deleted")
    after = written.reply.result()
    if before is None:
        return ObjectChange(step.ref, Change.CREATE, field_changes({}, step.manifest))
    fields = field_changes(before, after)
    return ObjectChange(step.ref, Change.UPDATE if fields else Change.NONE, fields, written.note)
