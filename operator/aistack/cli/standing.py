"""Where a stack stands, judged from the object alone: what ``status`` says and ``wait`` waits for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from aistack.api.conditions import Condition, ConditionStatus, ConditionType
from aistack.api.parse import parse_stack
from aistack.api.refused import unparsed_stack
from aistack.api.spec import AIStack
from aistack.errors import SpecError
from aistack.objects.manifest import Manifest

OPERATOR_PATIENCE = 15.0
"""Seconds within which a running operator has looked at every change."""


class Standing(StrEnum):
    """Where a stack stands."""

    READY = "ready"
    WORKING = "working"
    """More will happen by itself."""
    STALLED = "stalled"
    """A person must act."""
    SUSPENDED = "suspended"
    UNSEEN = "unseen"
    """The operator has not looked at the newest spec yet."""
    DELETING = "deleting"


def understood(live: Manifest) -> AIStack:
    """Read a stack as the cluster has it, also one whose spec is wrong."""
    try:
        return parse_stack(live)
    except SpecError:
        return unparsed_stack(live)


def standing_of(stack: AIStack) -> Standing:
    """Judge a stack."""
    if stack.deleting:
        return Standing.DELETING
    if stack.status.observed_generation != stack.generation:
        return Standing.UNSEEN
    if is_true(stack, ConditionType.READY):
        return Standing.READY
    if is_true(stack, ConditionType.STALLED):
        return Standing.STALLED
    return Standing.SUSPENDED if stack.spec.suspend else Standing.WORKING


def condition(stack: AIStack, kind: ConditionType) -> Condition | None:
    """Return a condition, None if the operator hasn't set it."""
    return next((c for c in stack.status.conditions if c.type == kind), None)


def is_true(stack: AIStack, kind: ConditionType) -> bool:
    """Tell whether a condition holds."""
    found = condition(stack, kind)
    return found is not None and found.status is ConditionStatus.TRUE


def unseen_for(live: Manifest, now: datetime) -> float:
    """Return for how many seconds the newest spec has waited for the operator, 0 if it was looked at.

    The spec's time is that of the last write to anything but the status.
    """
    metadata = live["metadata"]
    if live.get("status", {}).get("observedGeneration") == metadata.get("generation"):
        return 0.0
    writes = [e["time"] for e in metadata.get("managedFields", []) if not e.get("subresource") and "time" in e]
    last = max(writes, default=metadata.get("creationTimestamp"))
    return (now - datetime.fromisoformat(last)).total_seconds() if last else 0.0
