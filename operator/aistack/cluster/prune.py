"""What a plan no longer has is removed, once nothing can need it any more."""

from __future__ import annotations

from collections.abc import Mapping

from aistack.cluster.context import Context
from aistack.cluster.records import Record
from aistack.cluster.remove import Removed, remove_wave
from aistack.cluster.spawned import remove_spawned
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import UnitOutcome
from aistack.objects.plan import CreateSecret, Plan


def superfluous(ctx: Context, plan: Plan) -> dict[ObjectRef, Record]:
    """Return what was made for an earlier plan and isn't in this one; data that was kept on purpose isn't counted."""
    wanted = {_object(ref) for ref in plan.refs()} | {_object(s.ref) for unit in plan.units for s in unit.jobs()}
    suspended = {unit.name for unit in plan.units if unit.suspended}
    return {
        ref: record
        for ref, record in ctx.inventory.records.items()
        if _object(ref) not in wanted and not record.kept and record.unit not in suspended
    }


def _object(ref: ObjectRef) -> tuple[str, ...]:
    """Return what names an object in every version of its kind."""
    return ref.api_version.rpartition("/")[0], ref.kind, ref.namespace, ref.name


def _bases(plan: Plan) -> set[str]:
    return {step.base for unit in plan.units for step in unit.prepare if isinstance(step, CreateSecret)}


def keeps(plan: Plan, record: Record) -> bool:
    """Whether superfluous data stays: if the policy says so, and no new generation of a Secret replaced it."""
    return plan.retain_data and record.retain and record.base not in _bases(plan)


async def prune(ctx: Context, plan: Plan, outcomes: Mapping[str, UnitOutcome]) -> Removed:
    """Remove what is superfluous and due.

    Objects of removed units go at once, in reverse waves, but for those that others must get on without first. What a
    planned unit dropped goes when that unit is healthy without it; an old generation of a Secret when the whole plan
    is; the Job of a changed action at once.
    """
    unneeded = superfluous(ctx, plan)
    staying = {unit for unit, users in plan.leaving.items() if not all(outcomes[user].healthy for user in users)}
    removed = {ref: record for ref, record in unneeded.items() if record.unit not in outcomes}
    gone = {ref: record for ref, record in removed.items() if record.unit not in staying}
    dropped = {ref: record for ref, record in unneeded.items() if ref not in removed and _due(record, outcomes)}
    early = await remove_wave(ctx, gone, lambda record: keeps(plan, record))
    if not early.waiting:
        early = early.plus(
            await remove_spawned(ctx, lambda unit: unit not in outcomes and unit not in staying, plan.retain_data)
        )
    late = await remove_wave(ctx, dropped, lambda record: keeps(plan, record))
    return early.plus(late)


def _due(record: Record, outcomes: Mapping[str, UnitOutcome]) -> bool:
    """Whether nothing can need what a planned unit dropped."""
    if record.action:
        return True
    if record.base:
        return all(outcome.healthy for outcome in outcomes.values())
    return outcomes[record.unit].healthy
