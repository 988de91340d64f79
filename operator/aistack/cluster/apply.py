"""One object brought to its desired state: nothing, a guarded create, or a guarded server-side apply.

Every write is one request that can't hit another object than the one meant, measured on a real API server (1.34):

- create: apply with ``resourceVersion: "1"``, which no object can have (etcd's first write is 2): 201 where nothing of
  that name exists, 409 where something does. Unlike POST it leaves proper server-side-apply ownership behind.
- update: apply with the known ``uid``: 409 if the object is gone, 422 on ``metadata.uid`` if it is another one by now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from aistack.cluster.autoscaled import REPLICAS, is_autoscaled
from aistack.cluster.context import Context
from aistack.cluster.fields import is_marked, marks, without
from aistack.cluster.live import Live
from aistack.cluster.replies import Reply
from aistack.errors import ClusterError, ForeignObjectError
from aistack.objects.health import Health, HealthState, health_of
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.objects.outcome import ObjectOutcome, Verb
from aistack.objects.plan import ApplyObject, DriftPolicy, Strategy

ABSENT = "1"
"""A resourceVersion that no object has: as a precondition it means "doesn't exist"."""
TRIES = 3
"""How often a write is tried anew because the object came, went or was replaced meanwhile."""
PAUSES = (0.1, 0.3, 0.6)
"""Seconds between tries to bind a Role that is made meanwhile: the API server's authorizer learns of it later."""
FEUD = "somebody else changes it back each time it is put right; that is done more and more seldom now"
PROPAGATION = {Strategy.RECREATE: "Background", Strategy.RECREATE_ORPHAN: "Orphan"}


@dataclass(frozen=True)
class Written:
    """A successful write: the answer, and the fields that were left to others."""

    reply: Reply
    contested: tuple[str, ...] = ()
    note: str = ""


def settled(ctx: Context, step: ApplyObject) -> bool:
    """Whether the object is as we left it when we last applied this very manifest: then no request is needed."""
    record, live = ctx.inventory.get(step.ref), ctx.store.get(step.ref)
    if live is None or record.kept or record.uid != live.uid:
        return False
    return record.desired == step.desired_hash and record.owned == live.owned


def applied(ctx: Context, step: ApplyObject) -> bool:
    """Whether this very manifest was applied before, whatever became of it since."""
    record = ctx.inventory.get(step.ref)
    return record.exists and record.desired == step.desired_hash


def tolerated(ctx: Context, step: ApplyObject) -> str:
    """Say what somebody else did to the object, if it is to be left like that; empty if not."""
    if ctx.drift is not DriftPolicy.WARN or not applied(ctx, step) or ctx.inventory.get(step.ref).kept:
        return ""
    what = "edited" if ctx.store.get(step.ref) else "deleted"
    return f"{what} by somebody else; left as it is because drift is Warn"


def peek(ctx: Context, ref: ObjectRef, verb: Verb = Verb.UNCHANGED, note: str = "") -> ObjectOutcome:
    """Report an object as it is."""
    live = ctx.store.get(ref)
    return ObjectOutcome(ref, verb, live.health if live else health_of(None), note)


async def apply_object(ctx: Context, step: ApplyObject) -> ObjectOutcome:
    """Bring one object to its desired state, as far as one pass can.

    Raises:
        ForeignObjectError: an object of that name exists and isn't ours.
        AIStackError: the API server refused.
    """
    ctx.require(step.ref)
    live = ctx.store.get(step.ref)
    if live is not None and live.terminating:
        return peek(ctx, step.ref)
    if settled(ctx, step):
        contested = ctx.inventory.get(step.ref).contested
        return peek(ctx, step.ref, Verb.CONTESTED, _contested(contested)) if contested else peek(ctx, step.ref)
    if note := tolerated(ctx, step):
        return peek(ctx, step.ref, Verb.DRIFTED, note)
    return await _bring(ctx, step, live)


async def _bring(ctx: Context, step: ApplyObject, live: Live | None) -> ObjectOutcome:
    verb, now = _verb(ctx, step, live), ctx.clock()
    if verb is Verb.REPAIRED and (pause := ctx.feuds.pause(step.ref, now)):
        ctx.wakes.append(pause)
        return peek(ctx, step.ref, Verb.CONTESTED, FEUD)
    if live is not None and step.strategy in PROPAGATION:
        await _make_way(ctx, step, live)
        verb, live = Verb.RECREATED, None
    written = await write(ctx, step, live)
    if written is None:
        ctx.look_again()  # it may be somebody else's, which no watch shows
        return ObjectOutcome(step.ref, verb, Health(HealthState.TERMINATING, "its predecessor is being deleted"))
    after = ctx.learn(written.reply.result(), step.ref)
    await _reattach(ctx, after)
    _remember(ctx, step, written, after)
    if live is not None and live.version == after.version:
        verb = Verb.UNCHANGED
    if verb is Verb.REPAIRED:
        ctx.feuds.repaired(step.ref, now)
    return peek(ctx, step.ref, Verb.CONTESTED if written.contested else verb, written.note)


def _verb(ctx: Context, step: ApplyObject, live: Live | None) -> Verb:
    if live is None:
        return Verb.REPAIRED if ctx.inventory.get(step.ref).exists else Verb.CREATED
    return Verb.REPAIRED if applied(ctx, step) else Verb.CONFIGURED


async def _make_way(ctx: Context, step: ApplyObject, live: Live) -> None:
    """Delete what can't be changed in place; it is made anew at once, or, held by a finalizer, in a later pass."""
    _check_ours(ctx, live)
    version = str(live.version) if step.retain else ""
    reply = await ctx.actor.delete(live.ref, live.uid, PROPAGATION[step.strategy], version)
    if step.retain and reply.status == 409:
        raise reply.error()  # it changed since it was planned: there may be data in it now
    if reply.status not in (404, 409):
        reply.result()
    ctx.store.forget(live.ref)


async def write(ctx: Context, step: ApplyObject, live: Live | None) -> Written | None:
    """Create or update; None while a predecessor of the same name is still going.

    Raises:
        ForeignObjectError: an object of that name exists and isn't ours.
        ClusterError: no answer, or the object keeps changing.
    """
    for _ in range(TRIES):
        written = await (_create(ctx, step) if live is None else _update(ctx, step, live))
        taken = live is None and written.reply.field_conflicts  # somebody owns fields of what shouldn't be there
        if not (taken or written.reply.identity_mismatch):
            return written
        live = await fetch(ctx, step.ref)
        if live is not None and live.terminating:
            return None
    raise ClusterError(f"apply {step.ref}: it keeps changing under our hands: {written.reply.message}", 409, "Conflict")


async def _create(ctx: Context, step: ApplyObject) -> Written:
    manifest = _guarded(ctx.signed(step.manifest), resourceVersion=ABSENT)
    reply = await ctx.actor.apply(manifest, dry_run=ctx.dry_run)
    for pause in PAUSES if step.ref.kind == "RoleBinding" and not ctx.dry_run else ():
        if reply.status != 404:
            break
        await asyncio.sleep(pause)  # whoever may not bind just anything is told so until its Role is known
        reply = await ctx.actor.apply(manifest)
    return Written(reply)


async def _update(ctx: Context, step: ApplyObject, live: Live) -> Written:
    _check_ours(ctx, live)
    manifest = _guarded(ctx.signed(step.manifest), uid=live.uid)
    reply = await ctx.actor.apply(manifest, dry_run=ctx.dry_run)
    foreign, conflicts = (), reply.field_conflicts
    if conflicts:
        fields, lost = {c["field"] for c in conflicts}, ctx.inventory.get(step.ref).paths
        scaled = {REPLICAS} if REPLICAS in fields and await is_autoscaled(ctx, step.ref) else set()
        foreign = tuple(sorted(field for field in fields - scaled if not is_marked(field, lost)))
        manifest = without(manifest, (*foreign, *scaled))
        # What is left in conflict was ours before somebody took it: that alone is ever forced.
        reply = await ctx.actor.apply(manifest, force=True, dry_run=ctx.dry_run)
    if reply.status == 422 and not reply.identity_mismatch and applied(ctx, step):
        reply = await _realign(ctx, live, manifest)
    return Written(reply, foreign, _contested(foreign, conflicts))


async def _realign(ctx: Context, live: Live, manifest: Manifest) -> Reply:
    """Put back an object that was fine until somebody edited it and can't be merged with what we want any more.

    A Service's port that was renumbered stands beside ours under the same name: server-side apply only adds to such
    lists, so they are replaced whole, and then applied to own them again.
    """
    if not ctx.dry_run:
        ours = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "metadata")}
        reply = await ctx.actor.merge(live.ref, {**ours, "metadata": {"uid": live.uid}})
        if reply.ok:
            reply = await ctx.actor.merge(live.ref, _disowned(reply.result(), ctx.settings.field_manager))
        if not reply.ok:
            return reply
    return await ctx.actor.apply(manifest, dry_run=ctx.dry_run)


def _disowned(live: Manifest, manager: str) -> Manifest:
    """Return a patch that takes back what a merge made us own besides server-side apply.

    A field that has two owners stays when the plan drops it.
    """
    metadata = live["metadata"]
    entries = [e for e in metadata["managedFields"] if e["manager"] != manager or e["operation"] == "Apply"]
    return {"metadata": {"resourceVersion": metadata["resourceVersion"], "managedFields": entries}}


async def fetch(ctx: Context, ref: ObjectRef) -> Live | None:
    """Read one object past the store.

    Raises:
        AIStackError: it can't be read.
    """
    reply = await ctx.client.get(ref)
    if reply.status == 404:
        ctx.store.forget(ref)
        return None
    return ctx.learn(reply.result(), ref)


async def _reattach(ctx: Context, live: Live) -> None:
    """Take the mark off data that a former owner of the same name left behind."""
    if ctx.settings.retained_label in live.labels:
        await mark_retained(ctx, live.ref, live.uid, None)


async def mark_retained(ctx: Context, ref: ObjectRef, uid: str, value: str | None) -> None:
    """Set or remove the label that says whose data this was.

    Raises:
        AIStackError: the API server refused.
    """
    patch = {"metadata": {"uid": uid, "labels": {ctx.settings.retained_label: value}}}
    reply = await ctx.actor.merge(ref, patch)
    if reply.status != 404:
        ctx.learn(reply.result(), ref)


def _check_ours(ctx: Context, live: Live) -> None:
    if not ctx.ours(live):
        raise ForeignObjectError(str(live.ref))


def _guarded(manifest: Manifest, **preconditions: str) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], **preconditions}}


def _remember(ctx: Context, step: ApplyObject, written: Written, after: Live) -> None:
    ctx.inventory.update(
        step.ref,
        uid=after.uid,
        desired=step.desired_hash,
        owned=after.owned,
        paths=intern(marks(written.reply.result(), ctx.settings.field_manager)),
        contested=written.contested,
        kept=False,
    )


def _contested(fields: tuple[str, ...], conflicts: tuple[Mapping[str, Any], ...] = ()) -> str:
    """Name the fields left to others, and the others where they are known."""
    if not fields:
        return ""
    others = {c["field"]: c.get("message", "") for c in conflicts}
    told = (f"{field} ({others[field]})" if others.get(field) else field for field in fields)
    return "left to another manager: " + ", ".join(told)
