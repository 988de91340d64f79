"""Conditions of an AIStack's status: their types, their reasons, and how new ones replace old ones.

``Ready``, ``Reconciling`` and ``Stalled`` follow kstatus, so that kubectl, Flux and Argo CD understand them;
``Proven`` says more than healthy pods can.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from aistack.api.model import Observation


class ConditionType(StrEnum):
    """Types of conditions; every one is present once the stack was seen."""

    READY = "Ready"
    """Every enabled component is healthy and as the spec asks."""
    RECONCILING = "Reconciling"
    """The operator is still bringing the cluster to the spec; more will happen by itself."""
    STALLED = "Stalled"
    """Nothing more will happen until a person changes something; the message says what."""
    PROVEN = "Proven"
    """Every edge did real work over its binding."""


class ConditionStatus(StrEnum):
    """Kubernetes' three truths."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Why a condition is as it is; part of the API, so that scripts may rely on them."""

    HEALTHY = "Healthy"
    """All components are healthy (Ready), and nothing is left to do (Reconciling, Stalled)."""
    PROGRESSING = "Progressing"
    """Objects were written and aren't healthy yet: pods start, claims run."""
    WAITING = "Waiting"
    """The world isn't ready (the API server, a namespace, a right, a quota); it is tried again with backoff."""
    SUSPENDED = "Suspended"
    """``spec.suspend``, of the stack or of a component, stops all changes."""
    DELETING = "Deleting"
    """The stack is being deleted; the message says what it waits for."""
    UNHEALTHY = "Unhealthy"
    """A component's pods fail: an image can't be pulled, a volume can't be bound, a container crashes."""
    INVALID_SPEC = "InvalidSpec"
    """A field of the stack is wrong; the message names it. What already runs stays as it is."""
    INVALID_CATALOG = "InvalidCatalog"
    """The operator's catalog is broken; the message names file and line."""
    INVALID_ARTIFACT = "InvalidArtifact"
    """What an AIComponent brings can't be used: the artifact, a file of it, or a name that is taken."""
    IN_USE = "InUse"
    """An AIComponent is to be deleted and stacks use it; the message names them."""
    FOREIGN_OBJECT = "ForeignObject"
    """An object that the stack needs exists and belongs to somebody else; it is never taken over."""
    CLAIM_FAILED = "ClaimFailed"
    """A consumer's database, bucket or login could not be made."""
    CONTESTED = "Contested"
    """Somebody else keeps changing fields that the stack sets; they were left alone."""
    DRIFTED = "Drifted"
    """Somebody changed objects of the stack, and ``spec.drift: Warn`` leaves them so."""
    FORBIDDEN = "Forbidden"
    """The operator, or the ServiceAccount that it acts as for the stack, lacks a right; the message names it."""
    NOT_PROVEN = "NotProven"
    """No proof has run yet."""
    PROVEN = "Proven"
    """Every edge's last proof succeeded."""
    BROKEN = "Broken"
    """An edge's last proof failed; the message names it."""
    EDGE_BROKEN = "EdgeBroken"
    """Of an Event: a connection that worked, or was new, doesn't work."""
    EDGE_HEALED = "EdgeHealed"
    """Of an Event: a broken connection works again."""
    LEFT_BEHIND = "LeftBehind"
    """Of an Event: a stack was deleted, and objects of it stay, as its ServiceAccount is gone."""
    SERVED_BY_ANOTHER = "ServedByAnother"
    """Of an Event: a second operator sees the stack, and leaves it to the first."""


class Condition(Observation):
    """One aspect of the stack's state, as in all Kubernetes objects."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=316)]
    """Ready, Reconciling, Stalled or Proven."""

    status: ConditionStatus
    """True, False or Unknown."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    """Why, as one documented word for programs."""

    message: Annotated[str, StringConstraints(max_length=32768)] = ""
    """Why, for people: what is wrong, where, and what to do."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """Generation of the spec that this speaks of."""

    last_transition_time: datetime | None = None
    """When the status last changed."""


def merge_conditions(old: Iterable[Condition], new: Iterable[Condition], now: datetime) -> tuple[Condition, ...]:
    """Put ``new`` conditions in the place of ``old`` ones of the same type, and keep the others.

    ``lastTransitionTime`` changes only where the status does.

    Args:
        old: what the object's status says.
        new: what is true now; their own times are ignored.
        now: the time of the change, with a time zone.
    """
    merged = {condition.type: condition for condition in old}
    for condition in new:
        previous = merged.get(condition.type)
        same = previous is not None and previous.status == condition.status
        since = previous.last_transition_time if previous and same else None
        merged[condition.type] = condition.model_copy(
            update={"last_transition_time": since or now.replace(microsecond=0)}
        )
    return tuple(merged.values())
