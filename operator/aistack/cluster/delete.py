"""A whole owner taken away, in reverse waves, always saying what it waits for."""

from __future__ import annotations

from aistack.cluster.context import Context
from aistack.cluster.remove import remove_wave
from aistack.cluster.spawned import remove_spawned
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import DeletionProgress


async def delete_all(ctx: Context, retain: bool) -> DeletionProgress:
    """Delete as much as one pass can; data is kept and marked when ``retain`` is set."""
    records = {ref: r for ref, r in ctx.inventory.records.items() if not (retain and r.kept and _there(ctx, ref))}
    result = await remove_wave(ctx, records, lambda record: retain and record.retain)
    if not result.waiting and not result.errors:
        result = await remove_spawned(ctx, lambda _: True, retain)
    return DeletionProgress(
        waiting_for=tuple(_describe(ctx, ref) for ref in sorted(result.waiting)),
        errors=tuple(sorted(result.errors, key=str)),
    )


def _there(ctx: Context, ref: ObjectRef) -> bool:
    """Whether kept data still exists, as far as is known: its namespace may have been deleted."""
    return ctx.store.get(ref) is not None or ctx.world.problem(ref.object_kind, ctx.owner.namespace) is not None


def _describe(ctx: Context, ref: ObjectRef) -> str:
    live = ctx.store.get(ref)
    return f"{ref} ({live.health.message})" if live and live.terminating else str(ref)
