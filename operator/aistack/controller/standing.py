"""How the operator stands, as metrics that are read when Prometheus asks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aistack.api.conditions import ConditionStatus, ConditionType
from aistack.controller import series
from aistack.controller.series import Series, Type
from aistack.objects.manifest import Manifest

if TYPE_CHECKING:
    from aistack.controller.operator import Operator

Labels = tuple[str, ...]
Values = Mapping[Labels, float]


class Standing(Collector):
    """Reads an operator.

    Args:
        operator: whose state is shown.
        restarts: how often the watch on AIStacks was started anew.
    """

    def __init__(self, operator: Operator, restarts: Callable[[], int]) -> None:
        self._operator, self._restarts = operator, restarts

    def collect(self) -> Iterable[Metric]:
        """Return everything; what only the leader knows is left out while another one leads."""
        election = self._operator.election
        yield _family(series.BUILD, {(version("aistack"), self._operator.catalog.digest): 1})
        yield _one(series.LEADER, election.leads)
        yield _one(series.TURNS, election.turns)
        yield _one(series.RESTARTS, self._restarts())
        yield from self._watches()
        if election.leads:
            yield from self._queue()
            stacks = self._operator.stacks
            yield from _stacks([stack for key in stacks if (stack := stacks.get(key))])

    def _queue(self) -> Iterable[Metric]:
        queue = self._operator.queue
        yield _one(series.DEPTH, len(queue))
        yield _one(series.OLDEST, queue.oldest)
        yield _one(series.RUNNING, queue.running)
        yield _one(series.LONGEST, queue.longest)

    def _watches(self) -> Iterable[Metric]:
        yield _family(series.OBJECTS, {(kind,): number for kind, number in self._operator.objects().items()})
        silent: dict[Labels, float] = defaultdict(float)
        broken: Counter[Labels] = Counter()
        for sight in self._operator.sights():
            silent[sight.kind,] = max(silent[sight.kind,], sight.silent)
            broken[sight.kind,] += bool(sight.problem)
        yield _family(series.LAG, silent)
        yield _family(series.DEGRADED, broken)


def _stacks(stacks: list[Manifest]) -> Iterable[Metric]:
    """Return what AIStacks say of themselves."""
    conditions: list[Labels] = [ready_of(stack.get("status", {})) for stack in stacks]
    yield _family(series.STACKS, Counter(conditions))
    ready: dict[Labels, float] = {
        (stack["metadata"]["namespace"], stack["metadata"]["name"]): condition[0] == ConditionStatus.TRUE
        for stack, condition in zip(stacks, conditions, strict=True)
    }
    yield _family(series.STACK_READY, ready)
    edges = (edge for stack in stacks for edge in stack.get("status", {}).get("edges") or ())
    states: Counter[Labels] = Counter((str(edge.get("state")),) for edge in edges)
    yield _family(series.EDGES, states)


def ready_of(status: Mapping[str, Any]) -> tuple[str, str]:
    """Return status and reason of the condition Ready; unknown where it isn't there."""
    found = (c for c in status.get("conditions") or () if c["type"] == ConditionType.READY)
    return next(((c["status"], c["reason"]) for c in found), (ConditionStatus.UNKNOWN.value, ""))


def _one(which: Series, value: float) -> Metric:
    return _family(which, {(): value})


def _family(which: Series, values: Values) -> Metric:
    """Return a metric with a value for each combination of labels."""
    make = CounterMetricFamily if which.type is Type.COUNTER else GaugeMetricFamily
    family = make(which.name, which.told, labels=which.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, float(value))
    return family
