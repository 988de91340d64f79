"""The status of an AIBinding, from what was planned for it and what came of that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aistack.api.binding import AIBinding, AIBindingStatus, SecretName
from aistack.api.conditions import Reason, merge_conditions
from aistack.api.status import EdgeState, EdgeStatus
from aistack.api.wiring import OFF
from aistack.errors import AIStackError
from aistack.objects.outcome import ActionState, Outcome, UnitOutcome
from aistack.planning.apps import App
from aistack.planning.plan import Planned
from aistack.planning.verdict import Verdict, deleting, refused

_NOTHING = UnitOutcome("")


def revoked(app: App, outcome: Outcome) -> bool:
    """Whether a binding may go: its credentials ended, or nothing is there that could have made them."""
    unit = outcome.units.get(app.name, _NOTHING)
    return app.unit is None or (bool(unit.actions) and unit.actions[0].state is ActionState.SUCCEEDED)


def summarize_app(
    planned: Planned, app: App, outcome: Outcome, edges: Iterable[EdgeStatus], now: datetime
) -> AIBindingStatus:
    """Return the status of a binding whose stack's plan was applied.

    Args:
        planned: what was planned.
        app: the binding's part of it.
        outcome: what came of it.
        edges: what the stack's status says of its edges.
        now: time of the change, for conditions that change.
    """
    edge = next((e for e in edges if e.consumer == app.name), None)
    verdict = _verdict(planned, app, outcome.units.get(app.name, _NOTHING), edge)
    before = app.binding.status
    usable = verdict.ready and not app.binding.deleting
    return _with_verdict(app.binding, verdict, now).model_copy(
        update={
            "binding": SecretName(name=app.secret) if usable else before.binding,
            "identity": app.name,
            "provider": app.edge.provider if app.edge else "",
            "state": edge.state if edge else EdgeState.PENDING,
            "last_proven": edge.last_proven if edge else before.last_proven,
        }
    )


def summarize_without_stack(binding: AIBinding, now: datetime, why: str) -> AIBindingStatus:
    """Return the status of a binding whose stack isn't there, or can't be planned."""
    return _with_verdict(binding, Verdict(False, True, False, Reason.WAITING, why), now)


def _with_verdict(binding: AIBinding, verdict: Verdict, now: datetime) -> AIBindingStatus:
    generation = binding.metadata.generation
    conditions = merge_conditions(binding.status.conditions, verdict.conditions(generation), now)
    changes = {"observed_generation": generation, "message": verdict.message}
    ordered = tuple(sorted(conditions, key=lambda condition: condition.type))
    return binding.status.model_copy(update={**changes, "conditions": ordered})


def _verdict(planned: Planned, app: App, unit: UnitOutcome, edge: EdgeStatus | None) -> Verdict:
    problem: AIStackError | None = app.refusal or next(iter(unit.errors), None)
    if app.binding.deleting:
        return deleting([f"the end of its credentials ({action.message or action.state})" for action in unit.actions])
    if problem:
        return refused(problem)
    if edge is None:
        return Verdict(False, True, False, Reason.PROGRESSING, "is being made")
    return _verdict_of_edge(planned, app, edge)


def _verdict_of_edge(planned: Planned, app: App, edge: EdgeStatus) -> Verdict:
    if edge.state is EdgeState.PROVEN:
        return Verdict(True, False, False, Reason.HEALTHY, f"Secret {app.secret} opens it, proven by real work")
    if edge.state is EdgeState.BROKEN:
        return Verdict(False, True, False, Reason.BROKEN, edge.message)
    if edge.state is EdgeState.UNPROVEN and planned.stack.spec.proofs.every == OFF:
        return Verdict(True, False, False, Reason.HEALTHY, f"Secret {app.secret} opens it; proofs are off in the stack")
    return Verdict(False, True, False, Reason.PROGRESSING, edge.message)
