"""The apply pass over a plan's units: what is ready is done, what isn't says what it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from aistack.cluster.actions import AT_ONCE, JOB_NAME, note_running, run_action
from aistack.cluster.apply import applied, apply_object, peek
from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.cluster.proofs import run_proof
from aistack.cluster.refusals import refused_pods
from aistack.cluster.secrets import create_secret
from aistack.cluster.settings import POD
from aistack.errors import AIStackError
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import ActionOutcome, ActionState, ObjectOutcome, ProofOutcome, UnitOutcome, Verb
from aistack.objects.plan import CreateSecret, Plan, RunAction, RunProof, Unit

_NEW = frozenset({Verb.CREATED, Verb.RECREATED, Verb.REPAIRED})
"""What was done to objects that may not have been there when the plan was made."""


@dataclass
class Progress:
    """How far one unit has come in this pass."""

    unit: Unit
    objects: dict[ObjectRef, ObjectOutcome] = field(default_factory=dict)
    actions: dict[str, ActionOutcome] = field(default_factory=dict)
    proofs: dict[str, ProofOutcome] = field(default_factory=dict)
    errors: list[AIStackError] = field(default_factory=list)

    async def attempt(self, ref: ObjectRef, doing: Awaitable[ObjectOutcome]) -> None:
        """Note what came of an object; an error stops this unit and no other."""
        try:
            self.objects[ref] = await doing
        except AIStackError as error:
            self.errors.append(error)

    async def attempt_action(self, step: RunAction, doing: Awaitable[ActionOutcome]) -> None:
        """Note what came of an action."""
        try:
            self.actions[step.key] = await doing
        except AIStackError as error:
            self.errors.append(error)

    async def attempt_proof(self, ctx: Context, step: RunProof, doing: Awaitable[ProofOutcome]) -> None:
        """Note what came of a proof; that it can't run is told at its edges and stops nothing."""
        try:
            self.proofs[step.key] = await doing
        except AIStackError as error:
            self.proofs[step.key] = ProofOutcome(step.key, trouble=str(error))
            ctx.look_again()

    @property
    def healthy(self) -> bool:
        """Whether all of the unit's objects are there and healthy."""
        found = (self.objects.get(step.ref) for step in self.unit.objects())
        return all(outcome is not None and outcome.health.current for outcome in found)

    def done(self, actions: Iterable[RunAction]) -> bool:
        """Whether these actions succeeded."""
        found = (self.actions.get(step.key) for step in actions)
        return all(outcome is not None and outcome.state is ActionState.SUCCEEDED for outcome in found)


async def run_units(ctx: Context, plan: Plan) -> dict[str, UnitOutcome]:
    """Apply a plan's units as far as they are ready; never waits for anything to become so."""
    units = {unit.name: Progress(unit) for unit in plan.units}
    active = [progress for progress in units.values() if not progress.unit.suspended]
    note_running(ctx)
    await _prepare(ctx, active)
    outcomes: dict[str, UnitOutcome] = {}
    for wave in plan.waves:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_finish(ctx, units[unit.name], outcomes)) for unit in wave]
        outcomes |= {outcome.name: outcome for outcome in (task.result() for task in tasks)}
    return outcomes


async def _prepare(ctx: Context, units: list[Progress]) -> None:
    async with asyncio.TaskGroup() as group:
        for progress in units:
            for step in progress.unit.prepare:
                make = create_secret(ctx, step) if isinstance(step, CreateSecret) else apply_object(ctx, step)
                group.create_task(progress.attempt(step.ref, make))


async def _finish(ctx: Context, progress: Progress, before: Mapping[str, UnitOutcome]) -> UnitOutcome:
    if progress.unit.suspended:
        return _suspended(ctx, progress.unit)
    unit, healthy = progress.unit, {name for name, outcome in before.items() if outcome.healthy}
    known = healthy - {name for name, outcome in before.items() if _is_new(outcome)}
    prepared = not progress.errors
    await _act(ctx, progress, [step for step in unit.actions if not step.late], known, prepared)
    await _prove(ctx, progress, before)
    blocked = not healthy.issuperset(unit.after)
    blocked = blocked or not progress.done(s for s in unit.actions if s.blocking and not s.late)
    blocked = blocked or not all(ctx.inventory.get(step.ref).succeeded for step in unit.proofs if step.gates)
    await _run(ctx, progress, not blocked and not progress.errors)
    late = [step for step in unit.actions if step.late]
    await _act(ctx, progress, late, known, not blocked and not progress.errors and progress.healthy)
    if known != healthy and not progress.done(unit.actions):
        ctx.wakes.append(AT_ONCE)
    needed = {*unit.after, *(name for step in unit.actions for name in step.after if not progress.done([step]))}
    outcome = await _outcome(ctx, progress, tuple(sorted(needed - healthy)))
    return replace(outcome, cleanup=await _clean_up(ctx, unit)) if outcome.healthy and outcome.proven else outcome


def _is_new(unit: UnitOutcome) -> bool:
    """Whether a unit has objects that its plan didn't know: a claim may be another one with them."""
    return any(done.verb in _NEW for done in unit.objects)


async def _act(
    ctx: Context, progress: Progress, steps: Sequence[RunAction], healthy: Set[str], may_start: bool
) -> None:
    """Run actions as far as they may be: each needs the units and the Jobs that it names."""
    waiting = [step for step in steps if not _followed(ctx, step)]
    async with asyncio.TaskGroup() as group:
        for step in steps:
            ready = may_start and step not in waiting and healthy >= set(step.after)
            group.create_task(progress.attempt_action(step, run_action(ctx, step, ready)))
    if any(_followed(ctx, step) for step in waiting):  # nothing that is watched tells of what was just noted
        ctx.wakes.append(AT_ONCE)


def _followed(ctx: Context, step: RunAction) -> bool:
    """Whether the Jobs that an action follows have succeeded."""
    return all(ctx.inventory.get(ref).succeeded for ref in step.follows)


async def _prove(ctx: Context, progress: Progress, before: Mapping[str, UnitOutcome]) -> None:
    """Try what the unit's actions made, where all that a proof talks to is there."""
    unit, healthy = progress.unit, {name for name, outcome in before.items() if outcome.healthy}
    async with asyncio.TaskGroup() as group:
        for step in unit.proofs:
            claimed = progress.done(action for action in unit.actions if action.key in step.edges)
            ready = claimed and not progress.errors and healthy.issuperset(step.after)
            doing = run_proof(ctx, step, unit.actions, before, ready)
            group.create_task(progress.attempt_proof(ctx, step, doing))


async def _clean_up(ctx: Context, unit: Unit) -> tuple[ActionOutcome, ...]:
    """End what was replaced, once no pod that may use it is left; that it can't be ended yet stops nothing."""
    if not unit.cleanup:
        return ()
    outcomes = []
    left = any(live.terminating and _is_at_work(ctx, live, unit) for live in ctx.store.of(ctx.owner.key))
    for step in unit.cleanup:
        done_before = ctx.inventory.get(step.ref).succeeded
        try:
            outcomes.append(await run_action(ctx, step, may_start=not left))
        except AIStackError as error:
            outcomes.append(ActionOutcome(step.key, ActionState.FAILED, str(error)))
        if ctx.inventory.get(step.ref).succeeded and not done_before:
            for proof in unit.proofs:  # that what stays works without what was ended
                ctx.inventory.update(proof.ref, stale=True)
            ctx.wakes.append(AT_ONCE)
    return tuple(outcomes)


async def _run(ctx: Context, progress: Progress, ready: bool) -> None:
    """Apply workloads; while the unit isn't ready only those that it already has are kept from drifting."""
    async with asyncio.TaskGroup() as group:
        for step in progress.unit.run:
            if ready or applied(ctx, step):
                group.create_task(progress.attempt(step.ref, apply_object(ctx, step)))
            elif ctx.store.get(step.ref) is not None:
                progress.objects[step.ref] = peek(ctx, step.ref)


async def _outcome(ctx: Context, progress: Progress, waiting: tuple[str, ...]) -> UnitOutcome:
    unit = progress.unit
    everything = all(isinstance(s, CreateSecret) or applied(ctx, s) for s in unit.objects())
    complete = everything and progress.done(unit.actions) and not progress.errors
    refused = await refused_pods(ctx, [*(s.ref for s in unit.run), *(s.ref for s in unit.actions)])
    return UnitOutcome(
        unit.name,
        objects=tuple(progress.objects[step.ref] for step in unit.objects() if step.ref in progress.objects),
        actions=tuple(progress.actions[step.key] for step in unit.actions if step.key in progress.actions),
        proofs=tuple(progress.proofs[step.key] for step in unit.proofs if step.key in progress.proofs),
        waiting_for=() if complete else waiting,
        pod_problems=_problems(ctx, unit) + refused,
        # The same ones are told in the same order: a status that changes with every pass would ask for the next one.
        errors=tuple(sorted(progress.errors, key=str)),
        complete=complete,
    )


def _suspended(ctx: Context, unit: Unit) -> UnitOutcome:
    objects = tuple(peek(ctx, step.ref) for step in unit.objects())
    exists = all(ctx.store.get(step.ref) is not None for step in unit.objects())
    return UnitOutcome(unit.name, objects, pod_problems=_problems(ctx, unit), complete=exists, suspended=True)


def _problems(ctx: Context, unit: Unit) -> tuple[str, ...]:
    """Say what keeps the unit's pods from running."""
    own = {step.ref for step in unit.objects()}
    found: list[str] = []
    for live in ctx.store.of(ctx.owner.key):
        if live.ref in own or _is_at_work(ctx, live, unit):
            found += live.problems
    return tuple(dict.fromkeys(found))


def _is_at_work(ctx: Context, live: Live, unit: Unit) -> bool:
    """Whether this is a pod at the unit's work: neither over (another follows), nor a user's, nor another unit's."""
    if live.ref.object_kind != POD:
        return False
    labels, settings = live.labels, ctx.settings
    if labels.get(JOB_NAME) in {step.ref.name for step in unit.proofs}:
        return False  # a proof that can't run says so at its edges
    over = live.manifest.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not over and labels.get(settings.pod_unit_label) == unit.name and settings.spawned_label not in labels
