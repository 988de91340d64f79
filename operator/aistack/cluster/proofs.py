"""Proofs: Jobs that run again and again, and what their last run said.

A run is due when there was none yet with this input, when it is asked for, when what it talks to was away, when the
last one failed (after a growing delay) and at its own second of every interval. That second depends on the owner's
name, so that many owners don't try at once; nor does a restart of the engine start what it missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from aistack.cluster.actions import ask_for_pods, discard, pods_of, redo, start, time_of, trouble_of
from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.cluster.records import Record
from aistack.cluster.refusals import refused_pods
from aistack.errors import ForeignObjectError
from aistack.objects.health import HealthState
from aistack.objects.manifest import content_hash
from aistack.objects.outcome import ObjectOutcome, ProofOutcome, UnitOutcome, Verb
from aistack.objects.plan import OwnerKey, RunAction, RunProof
from aistack.objects.proof import OTHER, EdgeProof, parse_report

CLAIMED_ANEW = ("auth", "absent")
"""Faults that the claim may mend: a login was changed or dropped, a database or bucket is gone."""
_ROADS = ("Service", "NetworkPolicy")
_MENDED = (Verb.CREATED, Verb.CONFIGURED, Verb.REPAIRED, Verb.RECREATED)


async def run_proof(
    ctx: Context, step: RunProof, claims: Iterable[RunAction], before: Mapping[str, UnitOutcome], may_start: bool
) -> ProofOutcome:
    """Note what a run said, and start the next one if it is due.

    Args:
        ctx: the pass.
        step: the proof.
        claims: the actions whose results it tries; run anew when they may mend what broke.
        before: outcomes of the units that it talks to.
        may_start: whether all it needs is there.

    Raises:
        ForeignObjectError: a Job of that name exists and isn't ours.
        AIStackError: the API server refused.
    """
    ctx.require(step.ref)
    live = ctx.store.get(step.ref)
    if live is not None and not ctx.ours(live):
        raise ForeignObjectError(str(step.ref))
    claims = [claim for claim in claims if claim.key in step.edges]
    if live is not None and live.uid != _record(ctx, step).judged:
        await _note_end(ctx, step, live, claims)
    if _was_away(step, before) and _record(ctx, step).ended:
        ctx.inventory.update(step.ref, stale=True)
    if may_start and (live is None or live.uid == _record(ctx, step).judged) and await _is_due(ctx, step, claims):
        live = await _start(ctx, step, live)
    return await _outcome(ctx, step, live)


def _record(ctx: Context, step: RunProof) -> Record:
    return ctx.inventory.get(step.ref)


def _was_away(step: RunProof, before: Mapping[str, UnitOutcome]) -> bool:
    """Whether something that the proof talks to isn't there, or the way to it was just mended."""
    units = [before[name] for name in step.after if name in before]
    return any(not unit.healthy or any(map(_mended, unit.objects)) for unit in units)


def _mended(done: ObjectOutcome) -> bool:
    return done.ref.kind in _ROADS and done.verb in _MENDED


async def _note_end(ctx: Context, step: RunProof, live: Live, claims: Iterable[RunAction]) -> None:
    """Remember what the Job's run said, if it has ended; a fault that claims may mend has them run at once."""
    found = await _end_of(ctx, live)
    if found is None:
        return
    ended, text = found
    report = parse_report(text)
    ok = bool(report) and all(edge.ok for edge in report.values())
    record = _record(ctx, step)
    ctx.inventory.update(
        step.ref,
        uid=live.uid,
        judged=live.uid,
        ended=round(min(ended, ctx.clock()), 3),
        report=text,
        attempts=0 if ok else record.attempts + 1,
        succeeded=record.succeeded or ok,
        token=record.asked,
        stale=False,
    )
    if not ok and record.attempts == 0:
        await _claim_anew(ctx, step, claims)


async def _claim_anew(ctx: Context, step: RunProof, claims: Iterable[RunAction]) -> bool:
    """Run the claims of edges anew whose fault they may mend; tells whether there are any."""
    failed = {edge for edge, proof in _edges(step, _record(ctx, step)).items() if proof.failure in CLAIMED_ANEW}
    again = [claim for claim in claims if claim.key in failed]
    for claim in again:
        await redo(ctx, claim)
    if again:
        ctx.inventory.update(step.ref, stale=True)
    return bool(again)


async def _end_of(ctx: Context, job: Live) -> tuple[float, str] | None:
    """Return when a Job's run ended and what it said; None while it runs."""
    said = _said(ctx, job, pods_of(ctx, job))
    if said is None and job.health.state in (HealthState.CURRENT, HealthState.FAILED):
        return _said(ctx, job, await ask_for_pods(ctx, job)) or (ctx.clock(), "")
    return said


def _said(ctx: Context, job: Live, pods: Iterable[Live]) -> tuple[float, str] | None:
    """Return when the newest of a Job's pods ended and what it said, if one did.

    Its first container counts: a sidecar that a service mesh adds may go on for ever.
    """
    name = job.manifest["spec"]["template"]["spec"]["containers"][0]["name"]
    for pod in reversed(list(pods)):
        for status in pod.manifest.get("status", {}).get("containerStatuses", []):
            if status.get("name") == name and (ended := status.get("state", {}).get("terminated")):
                return time_of(ended.get("finishedAt")) or ctx.clock(), str(ended.get("message", ""))
    return None


async def _is_due(ctx: Context, step: RunProof, claims: Iterable[RunAction]) -> bool:
    """Tell whether a run is due now; if not, have the pass come back when it will be."""
    record = _record(ctx, step)
    if step.token and step.token != record.token:
        return True
    if not step.on_change and not step.gates:
        return False
    if not record.ended or record.stale:
        return True
    if record.attempts and await _retry_is_due(ctx, step, record):
        return not await _claim_anew(ctx, step, claims)  # the proof follows once they ran
    return _turn_is_due(ctx, step, record)


async def _retry_is_due(ctx: Context, step: RunProof, record: Record) -> bool:
    delay = min(ctx.settings.retry_base * 2.0 ** min(record.attempts, 16), ctx.settings.retry_limit)
    delay = min(delay, step.every or delay)
    return _wait(ctx, min(record.ended + delay - ctx.clock(), delay))


def turn_of(owner: OwnerKey, proof: str, every: int) -> int:
    """Return the second of each interval in which a proof has its turn: much the same number for each second."""
    return int(content_hash([*owner, proof]), 16) % every


def _turn_is_due(ctx: Context, step: RunProof, record: Record) -> bool:
    """Tell whether the proof's own second of an interval has passed since its last run."""
    if not step.every:
        return False
    turn = turn_of(ctx.owner.key, step.key, step.every)
    since = max(record.ended, ctx.since)
    ahead = (turn - since) % step.every or float(step.every)
    return _wait(ctx, since + ahead - ctx.clock())


def _wait(ctx: Context, left: float) -> bool:
    if left > 0:
        ctx.wakes.append(left)
    return left <= 0


async def _start(ctx: Context, step: RunProof, former: Live | None) -> Live:
    """Start a run in the place of the former one, whose Job stayed to be looked at."""
    if former is not None:
        await discard(ctx, former)
    live = await start(ctx, step.ref, step.manifest)
    ctx.inventory.update(step.ref, asked=step.token)
    return live


def _edges(step: RunProof, record: Record) -> dict[str, EdgeProof]:
    """Return what the last run said of each edge; one that it said nothing of failed with the Job."""
    if not record.ended:
        return {}
    report = parse_report(record.report)
    silent = EdgeProof(False, (), OTHER, record.report[:300] or "its pod ended and said nothing")
    return {key: report.get(key.rpartition("/")[2], silent) for key in step.edges}


async def _outcome(ctx: Context, step: RunProof, live: Live | None) -> ProofOutcome:
    record = _record(ctx, step)
    running = live is not None and live.uid != record.judged
    trouble = ""
    if live is not None and running:
        trouble = trouble_of(ctx, live) or "; ".join(await refused_pods(ctx, [step.ref]))
    ended = datetime.fromtimestamp(int(record.ended), UTC) if record.ended else None
    return ProofOutcome(step.key, _edges(step, record), ended, record.token, running, record.stale, trouble)
