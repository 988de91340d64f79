"""What to do next: the commands that help in the state that a stack is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aistack.api.conditions import ConditionType, Reason
from aistack.api.labels import COMPONENT, STACK
from aistack.api.spec import AIStack
from aistack.api.status import ComponentPhase, EdgeState
from aistack.cli.durations import format_duration
from aistack.cli.standing import OPERATOR_PATIENCE, Standing, condition, standing_of


def next_steps(stack: AIStack, unseen_for: float, command: Callable[[str], str]) -> list[str]:
    """Return what a person may do now, commands ready to paste.

    Args:
        stack: as the cluster has it.
        unseen_for: seconds that the newest spec has waited for the operator.
        command: writes a command of ours for its namespace.
    """
    watch = command(f"wait {stack.name}")
    match standing_of(stack):
        case Standing.READY:
            broken = [e for e in stack.status.edges if e.state is EdgeState.BROKEN]
            again = [f"{command(f'prove {e.name}')}    once its cause is gone" for e in broken]
            return again + [command(f"open {component.name}") for component in stack.status.components if component.url]
        case Standing.STALLED:
            return [_remedy(stack, command)]
        case Standing.UNSEEN:
            return [operator_hint(unseen_for)] if unseen_for > OPERATOR_PATIENCE else [watch]
        case Standing.SUSPENDED:
            return ["set spec.suspend to false and apply again to let the operator go on"]
        case Standing.DELETING:
            free = f"{command(f'delete {stack.name} --orphan')}    if no operator runs any more"
            return [command(f"wait {stack.name} --for deleted"), free]
        case Standing.WORKING:
            return [*_failures(stack), watch]


def operator_hint(unseen_for: float) -> str:
    """Say that no operator seems to run."""
    waited = format_duration(unseen_for)
    return f"no operator has looked at this for {waited}: is one running? python -m aistack.controller starts one here"


def _remedy(stack: AIStack, command: Callable[[str], str]) -> str:
    found = condition(stack, ConditionType.STALLED)
    match found.reason if found else "":
        case Reason.INVALID_SPEC:
            return "correct the field and apply again; what already runs stays as it is"
        case Reason.INVALID_CATALOG:
            return f"the operator's catalog is broken; {command('catalog check --help')}"
        case Reason.FOREIGN_OBJECT:
            return "delete or rename that object, or give the stack another name; nothing was taken over"
        case _:
            return "see above"


def _failures(stack: AIStack) -> Iterator[str]:
    for component in stack.status.components:
        if component.phase is ComponentPhase.FAILED:
            selector = f"{STACK}={stack.name},{COMPONENT}={component.name}"
            yield f"kubectl -n {stack.namespace} describe pods -l {selector}"
