"""Metrics of what happens, counted as it happens. No label has a value for each object."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from aistack.cluster.transport import NO_ANSWER, Call
from aistack.controller.series import ALL_CHANGES, CALLS, PASSES, RESULTS, Series
from aistack.objects.outcome import CHANGES, ObjectOutcome, Outcome

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True)
class Result:
    """How one pass over a stack ended: ``outcome`` done or failed, and the condition's reason or the error's class."""

    outcome: str
    reason: str
    seconds: float


class Metrics:
    """Counts what happens."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # else there is one more series for each counter, of no use
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._passes = Histogram(PASSES.name, PASSES.told, PASSES.labels, buckets=SECONDS, registry=self.registry)
        self._results, self._calls, self._changes = map(self._counter, (RESULTS, CALLS, ALL_CHANGES))

    def passed(self, result: Result) -> None:
        """Count a pass over a stack."""
        self._passes.labels(result.outcome).observe(result.seconds)
        self._results.labels(result.outcome, result.reason).inc()

    def called(self, call: Call) -> None:
        """Count an answer to a request, or that none came."""
        if call.status:
            code = "none" if call.status == NO_ANSWER else str(call.status)
            self._calls.labels(call.verb, call.kind, code).inc()

    def applied(self, outcome: Outcome) -> None:
        """Count what was done to objects."""
        for (verb, kind), number in Tally(_changes(outcome)).items():
            self._changes.labels(verb, kind).inc(number)

    def exposition(self) -> tuple[bytes, str]:
        """Return everything as Prometheus reads it, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4

    def _counter(self, series: Series) -> Counter:
        return Counter(series.name, series.told, series.labels, registry=self.registry)


def _changes(outcome: Outcome) -> Iterable[tuple[str, str]]:
    units = (item for unit in outcome.units.values() for item in unit.objects)
    everything: Iterable[ObjectOutcome] = (*units, *outcome.removed)
    return [(item.verb.value, item.ref.kind) for item in everything if item.verb in CHANGES]
