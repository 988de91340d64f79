"""What to do next: the commands that help in the state that a stack is in."""

from __future__ import annotations

from collections.abc import Iterator

from aistack.api.conditions import ConditionType, Reason
from aistack.api.labels import COMPONENT, STACK
from aistack.api.spec import AIStack
from aistack.api.status import ComponentPhase
from aistack.cli.durations import format_duration
from aistack.cli.standing import OPERATOR_PATIENCE, Standing, condition, standing_of

_REMEDIES = {
    Reason.INVALID_SPEC: "correct the field and apply again; what already runs stays as it is",
    Reason.INVALID_CATALOG: "the operator's catalog is broken; aistack catalog check --help",
    Reason.FOREIGN_OBJECT: "delete or rename that object, or give the stack another name; nothing was taken over",
}


def next_steps(stack: AIStack, unseen_for: float, where: str = "") -> list[str]:
    """Return what a person may do now, commands ready to paste.

    Args:
        stack: as the cluster has it.
        unseen_for: seconds that the newest spec has waited for the operator.
        where: what commands need besides to find it, e.g. `` -n ml``.
    """
    match standing_of(stack):
        case Standing.READY:
            return list(_pages(stack, where))
        case Standing.STALLED:
            return list(_stalled(stack))
        case Standing.UNSEEN:
            return [operator_hint(unseen_for)] if unseen_for > OPERATOR_PATIENCE else [_watch(stack, where)]
        case Standing.SUSPENDED:
            return ["set spec.suspend to false and apply again to let the operator go on"]
        case Standing.DELETING:
            free = f"aistack delete {stack.name}{where} --orphan    if no operator runs any more"
            return [f"aistack wait {stack.name}{where} --for deleted", free]
        case Standing.WORKING:
            return [*_failures(stack), _watch(stack, where)]


def operator_hint(unseen_for: float) -> str:
    """Say that no operator seems to run."""
    waited = format_duration(unseen_for)
    return f"no operator has looked at this for {waited}: is one running? python -m aistack.controller starts one here"


def _pages(stack: AIStack, where: str) -> Iterator[str]:
    for component in stack.status.components:
        if component.url:
            yield f"aistack open {component.name}{where}"


def _stalled(stack: AIStack) -> Iterator[str]:
    found = condition(stack, ConditionType.STALLED)
    reason = found.reason if found else ""
    yield _REMEDIES.get(Reason(reason), "") if reason in set(Reason) and Reason(reason) in _REMEDIES else "see above"


def _failures(stack: AIStack) -> Iterator[str]:
    for component in stack.status.components:
        if component.phase is ComponentPhase.FAILED:
            selector = f"{STACK}={stack.name},{COMPONENT}={component.name}"
            yield f"kubectl -n {stack.namespace} describe pods -l {selector}"


def _watch(stack: AIStack, where: str) -> str:
    return f"aistack wait {stack.name}{where}"
