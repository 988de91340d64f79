"""The metrics that the operator has: names, labels, and what they say. docs/metrics.md is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """How Prometheus is to read it."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Series:
    """One metric. Counters' names end in ``_total`` where they are shown."""

    name: str
    type: Type
    told: str
    labels: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Its name as Prometheus has it."""
        return f"{self.name}_total" if self.type is Type.COUNTER else self.name


PASSES = Series(
    "aistack_reconcile_duration_seconds",
    Type.HISTOGRAM,
    "Time that one pass over an AIStack took; outcome is done or failed.",
    ("outcome",),
)
RESULTS = Series(
    "aistack_reconciles",
    Type.COUNTER,
    "Passes over AIStacks; reason is that of the condition Ready afterwards, or the class of the error.",
    ("outcome", "reason"),
)
CALLS = Series(
    "aistack_api_calls",
    Type.COUNTER,
    "Answers of the API server by HTTP status; code none: no answer came.",
    ("verb", "kind", "code"),
)
ALL_CHANGES = Series(
    "aistack_object_changes",
    Type.COUNTER,
    "What was done to objects of AIStacks; verb repaired: somebody's edit or deletion was undone.",
    ("verb", "kind"),
)
BUILD = Series("aistack_build_info", Type.GAUGE, "1, with the operator's version and catalog.", ("version", "catalog"))
LEADER = Series("aistack_leader", Type.GAUGE, "1 if this replica works, 0 if it waits.")
TURNS = Series("aistack_leader_turns", Type.COUNTER, "Times that this replica became the one that works.")
RESTARTS = Series("aistack_stack_watch_restarts", Type.COUNTER, "Times that the watch on AIStacks was started anew.")
OBJECTS = Series("aistack_cache_objects", Type.GAUGE, "Objects in memory.", ("kind",))
LAG = Series(
    "aistack_cache_lag_seconds",
    Type.GAUGE,
    "Time since the API server last said something of a kind; a sound watch hears from it every minute.",
    ("kind",),
)
DEGRADED = Series("aistack_watches_degraded", Type.GAUGE, "Watches that can't be followed at present.", ("kind",))
DEPTH = Series("aistack_queue_depth", Type.GAUGE, "AIStacks that wait for a worker.")
OLDEST = Series("aistack_queue_oldest_seconds", Type.GAUGE, "How long the first of them waits.")
RUNNING = Series("aistack_queue_running", Type.GAUGE, "AIStacks that are worked on.")
LONGEST = Series("aistack_queue_longest_seconds", Type.GAUGE, "How long the longest pass under way takes.")
STACKS = Series("aistack_stacks", Type.GAUGE, "AIStacks by their condition Ready.", ("ready", "reason"))
STACK_READY = Series(
    "aistack_stack_ready", Type.GAUGE, "1 if the AIStack is ready: the one metric per stack.", ("namespace", "stack")
)
EDGES = Series("aistack_edges", Type.GAUGE, "Connections within AIStacks by what their proofs say.", ("state",))

ALL = (
    PASSES,
    RESULTS,
    CALLS,
    ALL_CHANGES,
    BUILD,
    LEADER,
    TURNS,
    RESTARTS,
    OBJECTS,
    LAG,
    DEGRADED,
    DEPTH,
    OLDEST,
    RUNNING,
    LONGEST,
    STACKS,
    STACK_READY,
    EDGES,
)
