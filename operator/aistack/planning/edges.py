"""Edges: what a status says of each connection, and of all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from aistack.api.conditions import Condition, ConditionStatus, ConditionType, Reason
from aistack.api.spec import AIStack
from aistack.api.status import EdgeState, EdgeStatus, StepStatus
from aistack.api.wiring import OFF
from aistack.objects.outcome import ActionState, Outcome, ProofOutcome, UnitOutcome
from aistack.objects.proof import EdgeProof
from aistack.planning.plan import Planned
from aistack.planning.wire import Edge

_NOTHING = UnitOutcome("")
_CREDENTIALS = ("auth", "absent")
"""Faults that lie in what a binding opens; the operator mends them where it made the share."""
Place = tuple[str, str, str]
"""Consumer, provider and contract: what tells edges apart in a status."""


@dataclass(frozen=True)
class _Share:
    """What is known of one share of an edge."""

    claimed: bool
    complaint: str = ""
    proof: EdgeProof | None = None
    proof_at: datetime | None = None
    trouble: str = ""
    mender: str = ""
    """What only the user can mend, where its credentials are the user's."""
    left: str = ""
    """Why its former generations could not be ended."""


def edge_states(planned: Planned, outcome: Outcome) -> tuple[EdgeStatus, ...]:
    """Return the state of each edge; shares of one contract that a component has of one provider are one edge."""
    places: dict[Place, list[Edge]] = {}
    leaving = {app.name for app in planned.apps if app.binding.deleting}
    for edge in (e for e in planned.wiring.edges if e.consumer not in leaving):
        places.setdefault((edge.consumer, edge.provider, edge.contract), []).append(edge)
    before = {(e.consumer, e.provider, e.contract): e for e in planned.stack.status.edges}
    return tuple(_edge(planned, outcome, place, edges, before.get(place)) for place, edges in places.items())


def _edge(
    planned: Planned, outcome: Outcome, place: Place, edges: Sequence[Edge], before: EdgeStatus | None
) -> EdgeStatus:
    """Judge one edge; what was said of a suspended consumer's stays."""
    unit = outcome.units.get(place[0], _NOTHING)
    if unit.suspended and before:
        return before
    shares = [_share(unit, edge) for edge in edges]
    worst = min(shares, key=_rank)
    state, message = _judge(planned, worst, _absent(outcome, place[1]))
    if before and before.state is EdgeState.BROKEN and state in (EdgeState.PENDING, EdgeState.UNPROVEN):
        state, message = EdgeState.BROKEN, before.message  # until a proof says otherwise
    ended = max((share.proof_at for share in shares if share.proof_at), default=None)
    proven_at = ended if state is EdgeState.PROVEN else before.last_proven if before else None
    proof = worst.proof if state in (EdgeState.PROVEN, EdgeState.BROKEN) else None
    return EdgeStatus(
        consumer=place[0],
        provider=place[1],
        contract=place[2],
        state=state,
        last_proven=proven_at,
        last_run=ended or (before.last_run if before else None),
        failure=proof.failure or None if proof else None,
        steps=_steps(proof) if proof else (),
        message=message,
    )


def _steps(proof: EdgeProof) -> tuple[StepStatus, ...]:
    return tuple(StepStatus(name=s.name, ok=s.ok, milliseconds=s.milliseconds) for s in proof.steps)


def _share(unit: UnitOutcome, edge: Edge) -> _Share:
    key = edge.key
    action = next((a for a in unit.actions if a.key == key), None)
    claimed = action.state is ActionState.SUCCEEDED if action else not edge.claimed
    complaint = action.message if action and action.state is ActionState.FAILED else ""
    proof = next((p for p in unit.proofs if key in p.edges), None) or _without_result(unit)
    ends = (a.message for a in unit.cleanup if a.key == f"{key}/retire" and a.state is ActionState.FAILED)
    mender = "" if edge.claimed else f"; correct {edge.provider}"
    return _Share(claimed, complaint, proof.edges.get(key), proof.ended, proof.trouble, mender, next(ends, ""))


def _without_result(unit: UnitOutcome) -> ProofOutcome:
    """Return a proof that said nothing yet, for the trouble that it may have."""
    return next((p for p in unit.proofs if not p.edges and p.trouble), ProofOutcome(""))


def _rank(share: _Share) -> int:
    """Order shares: the one that speaks for the edge comes first."""
    if share.complaint:
        return 0
    if not share.claimed:
        return 1
    if share.proof is None:
        return 2
    return 4 if share.proof.ok else 3


def _absent(outcome: Outcome, provider: str) -> str:
    """Say that a provider isn't there, and why; empty for one that is, or that isn't ours."""
    unit = outcome.units.get(provider)
    if unit is None or unit.healthy or unit.suspended:
        return ""
    unhealthy = [f"{o.ref.kind} {o.ref.name}: {o.health.message}" for o in unit.objects if not o.health.current]
    return (*unit.pod_problems, *unhealthy, *map(str, unit.errors), "is being changed")[0]


def _judge(planned: Planned, share: _Share, absent: str) -> tuple[EdgeState, str]:
    if share.complaint:
        return EdgeState.BROKEN, f"its share can't be made: {share.complaint}"
    if not share.claimed:
        return EdgeState.PENDING, "its share is being made" if not absent else f"waits for its provider: {absent}"
    if share.proof is not None and absent:
        return EdgeState.BROKEN, f"the provider isn't ready: {absent}"
    if share.proof is None:
        return EdgeState.UNPROVEN, _why_unproven(planned.stack, share)
    if share.proof.ok:
        left = f"its former credentials still work: {share.left}" if share.left else ""
        return EdgeState.PROVEN, left or share.proof.warning
    last = share.proof.steps[-1].name if share.proof.steps else "start"
    mender = share.mender if share.proof.failure in _CREDENTIALS else ""
    return EdgeState.BROKEN, f"{last}: {share.proof.message}{mender}"


def _why_unproven(stack: AIStack, share: _Share) -> str:
    if share.trouble:
        return f"its proof can't run: {share.trouble}"
    if stack.spec.proofs.every == OFF:
        return "proofs are off, see spec.proofs.every; `aistack prove` tries it now"
    return "claimed, not tried yet"


def proven_condition(edges: Sequence[EdgeStatus], generation: int) -> Condition:
    """Return the condition that says whether every edge works."""
    broken = [e for e in edges if e.state is EdgeState.BROKEN]
    missing = [e for e in edges if e.state is not EdgeState.PROVEN]
    if broken:
        first = broken[0]
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        message = f"{first.consumer} → {first.contract} ({first.provider}): {first.message}{more}"
        return _condition(False, Reason.BROKEN, message, generation)
    if missing:
        message = f"{len(edges) - len(missing)} of {len(edges)} connections are proven; {_named(missing)} not yet"
        return _condition(False, Reason.NOT_PROVEN, message, generation)
    counted = f"all {len(edges)} connections did real work" if edges else "nothing is connected"
    return _condition(True, Reason.PROVEN, counted, generation)


def not_proven(generation: int) -> Condition:
    """Return the condition of a stack whose edges nothing is known of."""
    return _condition(False, Reason.NOT_PROVEN, "no proof has run yet", generation)


def _named(edges: Iterable[EdgeStatus]) -> str:
    return ", ".join(f"{e.consumer} → {e.contract}" for e in edges)


def _condition(true: bool, reason: Reason, message: str, generation: int) -> Condition:
    status = ConditionStatus.TRUE if true else ConditionStatus.FALSE
    return Condition(
        type=ConditionType.PROVEN, status=status, reason=reason, message=message, observed_generation=generation
    )


def news(before: Sequence[EdgeStatus], after: Sequence[EdgeStatus]) -> Iterator[tuple[Reason, str]]:
    """Yield what to tell of edges that broke or healed: a reason and a message."""
    states = {(e.consumer, e.provider, e.contract): e.state for e in before}
    for edge in after:
        was = states.get((edge.consumer, edge.provider, edge.contract))
        name = f"{edge.consumer} → {edge.contract} ({edge.provider})"
        if edge.state is EdgeState.BROKEN and was is not EdgeState.BROKEN:
            yield Reason.EDGE_BROKEN, f"{name}: {edge.message}"
        elif edge.state is EdgeState.PROVEN and was is EdgeState.BROKEN:
            yield Reason.EDGE_HEALED, f"{name} works again"


def handled(planned: Planned, outcome: Outcome) -> str | None:
    """Return the annotation that asks for proofs once all that it asks for have run; until then the one before."""
    asked = planned.stack.prove_asked
    steps = [step for unit in planned.plan.units for step in unit.proofs if step.token]
    tokens = {proof.key: proof.token for unit in outcome.units.values() for proof in unit.proofs}
    done = bool(asked) and all(tokens.get(step.key) == step.token for step in steps)
    return asked if done else planned.stack.status.last_handled_prove


def rotated(planned: Planned, outcome: Outcome) -> str | None:
    """Return the annotation that asks for new credentials once they are in use, proven, and the former ones ended."""
    asked = planned.stack.rotate_asked
    edge = next((e for e in planned.wiring.edges if e.key == asked.partition(" ")[2]), None)
    unit = outcome.units.get(edge.consumer, _NOTHING) if edge else _NOTHING
    ended = all(action.state is ActionState.SUCCEEDED for action in unit.cleanup)
    fresh = unit.proven and not any(proof.stale or proof.running for proof in unit.proofs)
    return asked if edge and unit.healthy and fresh and ended else planned.stack.status.last_handled_rotate
