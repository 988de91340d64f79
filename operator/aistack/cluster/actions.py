"""Actions: Jobs that must have succeeded once for their input. That they did outlives the Jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aistack.cluster.apply import fetch
from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.cluster.problems import last_words
from aistack.cluster.settings import POD
from aistack.errors import ClusterError, ForeignObjectError
from aistack.objects.health import HealthState
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.objects.outcome import ActionOutcome, ActionState
from aistack.objects.plan import RunAction

JOB_NAME = "batch.kubernetes.io/job-name"
"""Label that the Job controller puts on a Job's pods."""
CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
"""The same with the Job's UID: a former Job of that name had another."""
AT_ONCE = 0.05
"""Seconds until the next pass when nothing that is watched tells of it."""


async def run_action(ctx: Context, step: RunAction, may_start: bool) -> ActionOutcome:
    """Start the action's Job, or see how far it has come; a failed one runs again after a growing delay.

    Args:
        ctx: the pass.
        step: the action.
        may_start: whether everything it needs is there.

    Raises:
        ForeignObjectError: a Job of that name exists and isn't ours.
        AIStackError: the API server refused.
    """
    ctx.require(step.ref)
    live = ctx.store.get(step.ref)
    if ctx.inventory.get(step.ref).succeeded:
        if live is not None and ctx.ours(live):
            _identify(ctx, live)
        return ActionOutcome(step.key, ActionState.SUCCEEDED)
    if live is None:
        if not may_start:
            return ActionOutcome(step.key, ActionState.PENDING)
        if step.exclusive in ctx.busy:
            ctx.look_again()
            return ActionOutcome(step.key, ActionState.PENDING)
        _occupy(ctx, step.exclusive)
        live = await start(ctx, step.ref, step.manifest)
    return await _judge(ctx, step, live)


def note_running(ctx: Context) -> None:
    """Note which Jobs are at work, those of earlier plans too, so that none that they exclude starts."""
    for ref, record in ctx.inventory.records.items():
        live = ctx.store.get(ref)
        if live is not None and live.health.state not in (HealthState.CURRENT, HealthState.FAILED):
            _occupy(ctx, record.exclusive)


def _occupy(ctx: Context, exclusive: str) -> None:
    if exclusive:
        ctx.busy.add(exclusive)


async def discard(ctx: Context, job: Live) -> None:
    """Delete a Job that has ended, so that another one of its name can be made.

    Raises:
        AIStackError: the API server refused.
    """
    if not await _delete(ctx, job):
        raise ClusterError(f"delete {job.ref}: refused by the API server, yet it is still there", 409, "Conflict")
    ctx.store.forget(job.ref)


async def _delete(ctx: Context, job: Live) -> bool:
    """Delete a Job; tells whether it is gone, whoever deleted it. A conflict may mean another Job of that name."""
    reply = await ctx.actor.delete(job.ref, job.uid)
    if reply.status == 409:
        existing = await fetch(ctx, job.ref)
        return existing is None or existing.uid != job.uid
    if reply.status != 404:
        reply.result()
    return True


async def start(ctx: Context, ref: ObjectRef, manifest: Manifest) -> Live:
    """Make a Job, or return the one that is there.

    Raises:
        AIStackError: the API server refused.
    """
    reply = await ctx.actor.create(ctx.signed(manifest))
    if reply.status == 409:
        existing = await fetch(ctx, ref)
        if existing is None:  # other conflicts than of names, e.g. of writes to a quota, pass by themselves
            raise reply.error()
        return existing
    live = ctx.learn(reply.result(), ref)
    ctx.inventory.update(ref, uid=live.uid, owned=live.owned)
    return live


async def _judge(ctx: Context, step: RunAction, live: Live) -> ActionOutcome:
    if not ctx.ours(live):
        raise ForeignObjectError(str(step.ref))
    _identify(ctx, live)
    ends = _ends(ctx, live)
    never = live.manifest["spec"]["template"]["spec"].get("restartPolicy") == "Never"
    if live.health.state is HealthState.FAILED:
        return await _failed(ctx, step, live, _failed_at(live))
    if live.health.state is HealthState.CURRENT or any(end.code == 0 for end in ends):
        ctx.inventory.update(step.ref, succeeded=True)
        return ActionOutcome(step.key, ActionState.SUCCEEDED)
    if ends and never:
        return await _failed(ctx, step, live, ends[-1].at)
    return ActionOutcome(step.key, ActionState.RUNNING, trouble_of(ctx, live))


def _identify(ctx: Context, job: Live) -> None:
    """Remember which Job it is: in a cluster that was restored from a backup it is another one than before."""
    if ctx.inventory.get(job.ref).uid != job.uid:
        ctx.inventory.update(job.ref, uid=job.uid, owned=job.owned)


@dataclass(frozen=True)
class _End:
    """How a Job's own containers ended: the worst exit code, and when the last one did."""

    code: int
    at: float


def _ends(ctx: Context, job: Live) -> list[_End]:
    """Return how the Job's own containers ended in pods that go on: a sidecar that a service mesh added never ends."""
    own = {container["name"] for container in job.manifest["spec"]["template"]["spec"]["containers"]}
    statuses = [pod.manifest.get("status", {}) for pod in pods_of(ctx, job)]
    ends = (_end_of(own, status) for status in statuses if status.get("phase") == "Running")
    return [end for end in ends if end is not None]


def _end_of(own: set[str], status: Mapping[str, Any]) -> _End | None:
    """Return how a pod's own containers ended; None while one of them is at work."""
    states = [c.get("state", {}) for c in status.get("containerStatuses", []) if c.get("name") in own]
    ends = [state["terminated"] for state in states if "terminated" in state]
    if len(ends) < len(own):
        return None
    return _End(max(e["exitCode"] for e in ends), max(time_of(e.get("finishedAt")) for e in ends))


async def redo(ctx: Context, step: RunAction) -> None:
    """Have an action run once more with the same input: what it made is gone, or was changed behind its back.

    Raises:
        AIStackError: the API server refused.
    """
    if live := ctx.store.get(step.ref):
        await discard(ctx, live)
    ctx.inventory.update(step.ref, succeeded=False, attempts=0)
    ctx.wakes.append(AT_ONCE)


async def _failed(ctx: Context, step: RunAction, live: Live, since: float) -> ActionOutcome:
    """Report why, and delete the Job once its delay is over: its deletion starts the next attempt."""
    message = _reason(ctx, live)
    attempts = ctx.inventory.get(step.ref).attempts
    delay = min(ctx.settings.retry_base * 2.0 ** min(attempts, 16), ctx.settings.retry_limit)
    # Clocks differ: whatever they say, the pause is never longer than the delay.
    left = min(since + delay - ctx.clock(), delay)
    if left > 0:
        ctx.wakes.append(left)
        return ActionOutcome(step.key, ActionState.FAILED, message)
    if await _delete(ctx, live):
        ctx.inventory.update(step.ref, uid="", attempts=attempts + 1)
    else:
        ctx.look_again()
    return ActionOutcome(step.key, ActionState.FAILED, message)


def _reason(ctx: Context, job: Live) -> str:
    words = [last_words(pod.manifest) for pod in pods_of(ctx, job)]
    return next(filter(None, reversed(words)), job.health.message)


def trouble_of(ctx: Context, job: Live) -> str:
    """Say what keeps the Job's pods from running."""
    return "; ".join(problem for pod in pods_of(ctx, job) for problem in pod.problems)


def pods_of(ctx: Context, job: Live) -> list[Live]:
    """Return the Job's own pods, the oldest first; those of a former Job of that name aren't among them."""
    pods = [live for live in ctx.store.of(ctx.owner.key) if live.ref.object_kind == POD]
    mine = [pod for pod in pods if pod.labels.get(CONTROLLER_UID) == job.uid]
    return sorted(mine, key=lambda pod: str(pod.manifest["metadata"].get("creationTimestamp", "")))


async def ask_for_pods(ctx: Context, job: Live) -> list[Live]:
    """Read a Job's pods past the store: the watch on pods may be behind the one on Jobs.

    Raises:
        AIStackError: they can't be read.
    """
    reply = await ctx.client.list(POD, job.ref.namespace, labelSelector=f"{CONTROLLER_UID}={job.uid}")
    items = reply.result()["items"]
    for item in items:
        ctx.learn(item, ObjectRef(POD.api_version, POD.kind, job.ref.namespace, item["metadata"]["name"]))
    return pods_of(ctx, job)


def _failed_at(job: Live) -> float:
    conditions: list[dict[str, Any]] = job.manifest.get("status", {}).get("conditions", [])
    times = [c.get("lastTransitionTime", "") for c in conditions if c.get("type") == "Failed"]
    return time_of(times[0] if times else "")


def time_of(text: str | None) -> float:
    """Return a time of the API server's in seconds; 0 for none."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0
