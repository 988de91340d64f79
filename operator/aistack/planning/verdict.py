"""Verdict: the one mapping from what happened to conditions, reasons and the status line.

Invalid input is ``Stalled`` and names the field; a world that isn't ready is ``Reconciling`` and is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aistack.api.conditions import Condition, ConditionStatus, ConditionType, Reason
from aistack.api.status import ComponentPhase, ComponentStatus
from aistack.errors import (
    AIStackError,
    ArtifactError,
    CatalogError,
    ForbiddenError,
    ForeignObjectError,
    InvalidError,
    SpecError,
)
from aistack.objects.outcome import ActionState, Outcome, Verb
from aistack.planning.hooks import job_of

_ERROR_REASONS: Mapping[type[AIStackError], Reason] = {
    SpecError: Reason.INVALID_SPEC,
    CatalogError: Reason.INVALID_CATALOG,
    ArtifactError: Reason.INVALID_ARTIFACT,
    ForeignObjectError: Reason.FOREIGN_OBJECT,
    InvalidError: Reason.INVALID_SPEC,
    ForbiddenError: Reason.FORBIDDEN,
    AIStackError: Reason.WAITING,
}
_LEFT_ALONE: Mapping[Verb, Reason] = {Verb.CONTESTED: Reason.CONTESTED, Verb.DRIFTED: Reason.DRIFTED}
_TOLD_FIRST = (ComponentPhase.FAILED, ComponentPhase.PROGRESSING, ComponentPhase.SUSPENDED, ComponentPhase.PENDING)
"""Which of the components that aren't ready speaks for the stack; what is pending only waits for another one."""
MAX_MESSAGE = 2000
"""Characters of a condition's message; a longer one is cut."""


@dataclass(frozen=True)
class Verdict:
    """What is said of a stack as a whole."""

    ready: bool
    reconciling: bool
    stalled: bool
    reason: Reason
    message: str

    def conditions(self, generation: int) -> tuple[Condition, ...]:
        """Return the conditions Ready, Reconciling and Stalled; of the last two at most one is true."""
        calm = Reason.HEALTHY if self.ready else self.reason
        return (
            _condition(ConditionType.READY, self.ready, self.reason, self.message, generation),
            _condition(ConditionType.RECONCILING, self.reconciling, calm, self.message, generation),
            _condition(ConditionType.STALLED, self.stalled, calm, self.message if self.stalled else "", generation),
        )

    def unless(self, proven: Condition) -> Verdict:
        """Return this verdict for a stack that is ready only once it is proven."""
        if not self.ready or proven.status is ConditionStatus.TRUE:
            return self
        message = cut(f"{self.message}, and Ready waits for proofs: {proven.message}")
        return Verdict(False, True, False, Reason(proven.reason), message)


def _condition(kind: ConditionType, true: bool, reason: Reason, message: str, generation: int) -> Condition:
    status = ConditionStatus.TRUE if true else ConditionStatus.FALSE
    return Condition(type=kind, status=status, reason=reason, message=message, observed_generation=generation)


def refused(error: AIStackError) -> Verdict:
    """Judge a stack that could not be planned or reached."""
    reason = next(_ERROR_REASONS[kind] for kind in type(error).__mro__ if kind in _ERROR_REASONS)
    invalid = isinstance(error, InvalidError)
    return Verdict(False, not invalid, invalid, reason, cut(str(error)))


def cut(message: str) -> str:
    """Shorten a message that is too long for a status."""
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"


def suspended() -> Verdict:
    """Judge a stack whose spec says that nothing may be changed."""
    message = "suspended by spec.suspend: nothing is created, changed or deleted"
    return Verdict(False, False, False, Reason.SUSPENDED, message)


def deleting(waiting_for: Sequence[str]) -> Verdict:
    """Judge a stack that is going away."""
    message = cut("deleting" + (f": waits for {', '.join(waiting_for[:5])}" if waiting_for else ""))
    return Verdict(False, True, False, Reason.DELETING, message)


def verdict(components: Sequence[ComponentStatus], outcome: Outcome) -> Verdict:
    """Judge a stack whose plan was applied."""
    errors = outcome.all_errors
    invalid = [e for e in errors if isinstance(e, InvalidError)]
    if errors:
        return refused((invalid or errors)[0])
    unready = [c for c in components if c.phase is not ComponentPhase.READY]
    if unready:
        return _unready(unready, len(components), outcome)
    return _all_ready(outcome)


def _all_ready(outcome: Outcome) -> Verdict:
    message = "all components are ready"
    for left in (o for u in outcome.units.values() for o in u.objects if o.verb in _LEFT_ALONE):
        warning = cut(f"{message}; {left.ref} was changed by somebody else: {left.note}")
        return Verdict(True, False, False, _LEFT_ALONE[left.verb], warning)
    return Verdict(True, False, False, Reason.HEALTHY, message)


def _unready(unready: Sequence[ComponentStatus], count: int, outcome: Outcome) -> Verdict:
    first = min(unready, key=lambda component: _TOLD_FIRST.index(component.phase))
    message = cut(f"{count - len(unready)} of {count} components are ready; {first.name}: {first.message}")
    if first.phase is ComponentPhase.SUSPENDED:
        return Verdict(False, False, False, Reason.SUSPENDED, message)
    failed = [a for u in outcome.units.values() for a in u.actions if a.state is ActionState.FAILED]
    claims = [action for action in failed if not job_of(action.key)]
    reason = (
        Reason.CLAIM_FAILED
        if claims
        else Reason.UNHEALTHY
        if first.phase is ComponentPhase.FAILED
        else Reason.PROGRESSING
    )
    return Verdict(False, True, False, reason, message)
