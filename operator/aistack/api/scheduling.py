"""Where pods run, in the words of a Pod's own fields."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from aistack.api.model import Model
from aistack.api.texts import LabelValue, NodeSelector, ObjectName


class TolerationOperator(StrEnum):
    """How a toleration's key and value are compared with a taint."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does to pods that don't tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Model):
    """Lets pods run on nodes with a taint; the fields are a Pod's."""

    key: Annotated[str, StringConstraints(max_length=317)] | None = None
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

    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] | None = None
    """Taints of nodes that pods may run on all the same."""

    priority_class_name: ObjectName | None = None
    """PriorityClass of the pods; it must exist."""
