"""Summarize: a status from what was planned and what came of applying it, and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from aistack.api.conditions import Condition, ConditionType, merge_conditions
from aistack.api.labels import selector, stack_labels
from aistack.api.spec import AIStack
from aistack.api.status import AIStackStatus, ComponentPhase, ComponentStatus
from aistack.api.wiring import Readiness
from aistack.errors import AIStackError, InvalidError
from aistack.objects.health import HealthState
from aistack.objects.outcome import ActionState, Outcome, UnitOutcome
from aistack.planning.edges import edge_states, handled, not_proven, proven_condition, rotated
from aistack.planning.exposure import address_of
from aistack.planning.hooks import job_of
from aistack.planning.plan import Planned
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import service_host
from aistack.planning.verdict import Verdict, cut, deleting, refused, suspended, verdict

_NOTHING = UnitOutcome("")


def summarize(planned: Planned, outcome: Outcome, now: datetime) -> AIStackStatus:
    """Return the status of a stack whose plan was applied.

    Args:
        planned: what was planned.
        outcome: what came of it.
        now: time of the change, for conditions that change.
    """
    components = tuple(_component(planned, r, outcome) for r in planned.resolved.values())
    edges = edge_states(planned, outcome)
    # What apps of the user's own make of it is told at their bindings, and in the list of edges.
    proven = proven_condition([e for e in edges if e.consumer in planned.resolved], planned.stack.generation)
    judged = verdict(components, replace(outcome, units=_own(planned, outcome)))
    if planned.stack.spec.readiness is Readiness.PROVEN:
        judged = judged.unless(proven)
    return _with_verdict(planned.stack, judged, now, proven).model_copy(
        update={
            "components_ready": f"{sum(c.phase is ComponentPhase.READY for c in components)}/{len(components)}",
            "profile": planned.stack.spec.profile or "",
            "components": components,
            "edges": edges,
            "last_handled_prove": handled(planned, outcome),
            "last_handled_rotate": rotated(planned, outcome),
            "footprint": planned.footprint,
            "release": planned.release,
            "catalog_digest": planned.catalog_digest,
        }
    )


def _own(planned: Planned, outcome: Outcome) -> dict[str, UnitOutcome]:
    return {name: unit for name, unit in outcome.units.items() if name in planned.resolved}


def summarize_refusal(stack: AIStack, error: AIStackError, now: datetime) -> AIStackStatus:
    """Return the status of a stack that can't be planned or reached; what it said of its components stays."""
    return _with_verdict(stack, refused(error), now)


def summarize_suspension(stack: AIStack, now: datetime) -> AIStackStatus:
    """Return the status of a stack that is left as it is."""
    return _with_verdict(stack, suspended(), now)


def summarize_deletion(stack: AIStack, waiting_for: tuple[str, ...], now: datetime) -> AIStackStatus:
    """Return the status of a stack that is going away."""
    return _with_verdict(stack, deleting(waiting_for), now)


def left_behind(stack: AIStack, left: Sequence[str]) -> str:
    """Say what stays of a stack that goes, as its account was taken away before it, and how to find it."""
    kinds = ",".join(sorted({ref.partition(" ")[0].lower() for ref in left}))
    first = ", ".join(left[:5]) + (", ..." if len(left) > 5 else "")
    return (
        f"its ServiceAccount is gone, and may delete nothing more: {len(left)} objects stay ({first}); "
        f"list them: kubectl -n {stack.namespace} get {kinds} -l {selector(stack_labels(stack.name))}"
    )


def _with_verdict(stack: AIStack, judged: Verdict, now: datetime, proven: Condition | None = None) -> AIStackStatus:
    """Set the conditions; what was said of proofs stays where there is no news of them."""
    news = judged.conditions(stack.generation)
    known = any(c.type == ConditionType.PROVEN for c in stack.status.conditions)
    if proven or not known:
        news = (*news, proven or not_proven(stack.generation))
    conditions = merge_conditions(stack.status.conditions, news, now)
    return stack.status.model_copy(
        update={
            "observed_generation": stack.generation,
            "conditions": tuple(sorted(conditions, key=lambda c: c.type)),
            "message": judged.message,
        }
    )


def _component(planned: Planned, r: Resolved, outcome: Outcome) -> ComponentStatus:
    phase, message = _phase(outcome.units.get(r.name, _NOTHING))
    url = _url(planned.stack, r)
    return ComponentStatus(name=r.name, version=r.version, phase=phase, message=cut(message), url=url)


def _phase(unit: UnitOutcome) -> tuple[ComponentPhase, str]:
    """Judge one component: the first thing that keeps it from being ready."""
    if unit.suspended:
        return ComponentPhase.SUSPENDED, "left as it is, as spec says"
    if unit.errors:
        invalid = any(isinstance(e, InvalidError) for e in unit.errors)
        return (ComponentPhase.FAILED if invalid else ComponentPhase.PROGRESSING), str(unit.errors[0])
    for action in unit.actions:
        if action.state is ActionState.FAILED:
            return ComponentPhase.FAILED, f"{_doing(action.key)} failed and is tried again: {action.message}"
    if unit.pod_problems:
        return ComponentPhase.FAILED, unit.pod_problems[0]
    if unit.waiting_for:
        return ComponentPhase.PENDING, f"waits for {', '.join(unit.waiting_for)}"
    for action in unit.actions:
        if action.state is not ActionState.SUCCEEDED:
            job = job_of(action.key)
            return ComponentPhase.PROGRESSING, f"runs the Job {job}" if job else f"claims {_share(action.key)}"
    return _health_phase(unit)


def _doing(key: str) -> str:
    job = job_of(key)
    return f"the chart's Job {job}" if job else f"claiming {_share(key)}"


def _share(key: str) -> str:
    """Turn an action's key, ``mlflow/postgres``, into ``its share of postgres``."""
    return f"its share of {key.partition('/')[2]}"


def _health_phase(unit: UnitOutcome) -> tuple[ComponentPhase, str]:
    for o in unit.objects:
        if not o.health.current:
            phase = ComponentPhase.FAILED if o.health.state is HealthState.FAILED else ComponentPhase.PROGRESSING
            return phase, f"{o.ref.kind} {o.ref.name}: {o.health.message}"
    notes = [o.note for o in unit.objects if o.note]
    if unit.complete:
        return ComponentPhase.READY, notes[0] if notes else ""
    return ComponentPhase.PROGRESSING, "is being written"


def _url(stack: AIStack, r: Resolved) -> str:
    if address := address_of(stack, r):
        return address.url
    for page in r.component.spec.pages:
        host = service_host(stack.name, stack.namespace, r.name, page.workload)
        port = r.component.spec.workloads[page.workload].ports[page.port].port
        return f"http://{host}:{port}{page.path}"
    return ""
