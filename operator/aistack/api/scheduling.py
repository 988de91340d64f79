"""Where pods run, in the words of a Pod's own fields."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from aistack.api.model import Model
from aistack.api.rules import Rule, matches
from aistack.api.texts import QUALIFIED_NAME, LabelValue, NodeSelector, ObjectName

TaintKey = Annotated[
    str,
    StringConstraints(max_length=317),
    matches(QUALIFIED_NAME, "is no key of a taint", "write [prefix/]name, e.g. nvidia.com/gpu, or leave it out"),
]


class TolerationOperator(StrEnum):
    """How a toleration's key and value are compared with a taint."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does to pods that don't tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


_EVERY_TAINT = Rule(
    "has(self.key) || !has(self.operator) || self.operator == 'Exists'",
    "has the operator Equal, and no key to compare",
    "write the taint's key, or operator: Exists",
    lambda t: bool(t.key) or t.operator is not TolerationOperator.EQUAL,
)
_EVERY_VALUE = Rule(
    "!has(self.value) || (has(self.key) && (!has(self.operator) || self.operator == 'Equal'))",
    "has a value, though it tolerates every one",
    "leave the value out, or write a key and operator: Equal",
    lambda t: t.value is None or (bool(t.key) and t.operator is not TolerationOperator.EXISTS),
)
_EVICTION = Rule(
    "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
    "has tolerationSeconds, which only the effect NoExecute knows",
    "leave them out, or write effect: NoExecute",
    lambda t: t.toleration_seconds is None or t.effect is TaintEffect.NO_EXECUTE,
)


class Toleration(Model):
    """Lets pods run on nodes with a taint; the fields are a Pod's."""

    key: TaintKey | None = None
    """Key of the taint, e.g. nvidia.com/gpu; every taint if not set, and the operator is then Exists."""

    operator: TolerationOperator | None = None
    """Exists (any value) or Equal (the taint's value is this one; the default)."""

    value: LabelValue | None = None
    """Value of the taint, for Equal."""

    effect: TaintEffect | None = None
    """NoSchedule, PreferNoSchedule or NoExecute; every effect if not set."""

    toleration_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Seconds that a pod stays on a node after a NoExecute taint appears; for ever if not set."""


class Scheduling(Model):
    """Where pods run."""

    node_selector: NodeSelector | None = None
    """Labels that a node must have."""

    tolerations: (
        Annotated[
            tuple[Annotated[Toleration, _EVERY_TAINT, _EVERY_VALUE, _EVICTION], ...],
            Field(max_length=16),
        ]
        | None
    ) = None
    """Taints of nodes that pods may run on all the same."""

    priority_class_name: ObjectName | None = None
    """PriorityClass of the pods; it must exist."""
