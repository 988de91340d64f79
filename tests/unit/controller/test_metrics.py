"""Metrics: what is counted, what is read, and that the page and the board name nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aistack.cluster.sight import Sight
from aistack.cluster.transport import NO_ANSWER, Call
from aistack.controller.metrics import Metrics, Result
from aistack.controller.series import ALL, Series, Type
from aistack.controller.stacks import Stacks
from aistack.controller.standing import Standing
from aistack.objects.health import Health, HealthState
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import ObjectOutcome, Outcome, UnitOutcome, Verb
from tests.chart.dashboard import dashboard

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Queue:
    oldest, longest, running = 3.5, 1.5, 2

    def __len__(self) -> int:
        return 7


class Given:
    """An operator in some state."""

    def __init__(self, leads: bool = True) -> None:
        self.election: Any = type("Election", (), {"leads": leads, "turns": 4})
        self.catalog: Any = type("Catalog", (), {"digest": "abc"})
        self.queue, self.stacks = Queue(), Stacks()
        for number, (status, reason) in enumerate((("True", "Healthy"), ("False", "Waiting"), ("False", "Waiting"))):
            edges = [{"state": "Proven"}, {"state": "Broken"}] if number else []
            condition = {"type": "Ready", "status": status, "reason": reason}
            metadata = {"namespace": "ml", "name": f"s{number}", "uid": str(number), "resourceVersion": "1"}
            self.stacks.see({"metadata": metadata, "status": {"conditions": [condition], "edges": edges}})
        self.stacks.see({"metadata": {"namespace": "ml", "name": "new", "uid": "n", "resourceVersion": "1"}})

    def objects(self) -> dict[str, int]:
        return {"Service": 12}

    def sights(self) -> list[Sight]:
        return [Sight("Secret", 4.0, ""), Sight("Secret", 60.0, "forbidden"), Sight("Service", 1.0, "")]


def shown(metrics: Metrics) -> Samples:
    families = text_string_to_metric_families(metrics.exposition()[0].decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def full(leads: bool = True) -> Metrics:
    """Metrics of an operator to whom everything has happened once."""
    metrics = Metrics()
    given: Any = Given(leads)
    metrics.registry.register(Standing(given, lambda: 5))
    metrics.passed(Result("done", "Healthy", 0.2))
    metrics.called(Call("apply", "Service", "/x", 200))
    metrics.applied(outcome((Verb.REPAIRED, "Service")))
    return metrics


def outcome(*done: tuple[Verb, str]) -> Outcome:
    objects = tuple(
        ObjectOutcome(ObjectRef("v1", kind, "ml", f"o{n}"), verb, Health(HealthState.CURRENT))
        for n, (verb, kind) in enumerate(done)
    )
    return Outcome({"unit": UnitOutcome("unit", objects)}, removed=objects[:1])


def test_passes_are_counted_by_how_they_ended() -> None:
    metrics = Metrics()
    for result in (Result("done", "Healthy", 0.2), Result("done", "Healthy", 20), Result("failed", "ClusterError", 1)):
        metrics.passed(result)
    samples = shown(metrics)
    assert value(samples, "aistack_reconciles_total", outcome="done", reason="Healthy") == 2
    assert value(samples, "aistack_reconciles_total", outcome="failed", reason="ClusterError") == 1
    assert value(samples, "aistack_reconcile_duration_seconds_bucket", outcome="done", le="0.25") == 1
    assert value(samples, "aistack_reconcile_duration_seconds_sum", outcome="done") == 20.2


def test_answers_are_counted_once_and_missing_ones_too() -> None:
    metrics = Metrics()
    for status in (0, 200, 0, 409, 0, NO_ANSWER):
        metrics.called(Call("apply", "Service", "/x", status))
    samples = shown(metrics)
    counts = {
        code: value(samples, "aistack_api_calls_total", verb="apply", kind="Service", code=code)
        for code in ("200", "409", "none", "0")
    }
    assert counts == {"200": 1, "409": 1, "none": 1, "0": None}


def test_what_was_done_to_objects_is_counted_and_nothing_else() -> None:
    metrics = Metrics()
    verbs = [(verb, "Service") for verb in (Verb.DELETED, Verb.REPAIRED, Verb.UNCHANGED, Verb.CONTESTED)]
    metrics.applied(outcome(*verbs))
    samples = shown(metrics)
    found = {verb: value(samples, "aistack_object_changes_total", verb=verb, kind="Service") for verb in Verb}
    assert {verb: number for verb, number in found.items() if number} == {"deleted": 2, "repaired": 1}


def test_how_things_stand() -> None:
    samples = shown(full())
    assert value(samples, "aistack_leader") == 1
    assert value(samples, "aistack_queue_depth") == 7
    assert value(samples, "aistack_queue_oldest_seconds") == 3.5
    assert value(samples, "aistack_cache_objects", kind="Service") == 12
    assert value(samples, "aistack_cache_lag_seconds", kind="Secret") == 60
    assert value(samples, "aistack_watches_degraded", kind="Secret") == 1
    assert value(samples, "aistack_watches_degraded", kind="Service") == 0
    assert value(samples, "aistack_stacks", ready="False", reason="Waiting") == 2
    assert value(samples, "aistack_stacks", ready="Unknown", reason="") == 1
    assert value(samples, "aistack_stack_ready", namespace="ml", stack="s0") == 1
    assert value(samples, "aistack_stack_ready", namespace="ml", stack="s1") == 0
    assert value(samples, "aistack_edges", state="Broken") == 2
    assert value(samples, "aistack_leader_turns_total") == 4
    assert value(samples, "aistack_stack_watch_restarts_total") == 5


def test_who_waits_leaves_to_the_leader_what_only_that_one_knows() -> None:
    samples = shown(full(leads=False))
    assert value(samples, "aistack_leader") == 0
    assert not {
        name for name, _ in samples if name.startswith(("aistack_queue", "aistack_stack_ready", "aistack_edges"))
    }


@pytest.mark.parametrize("series", ALL, ids=lambda series: series.name)
def test_every_metric_of_the_list_is_there_with_its_labels(series: Series) -> None:
    name = f"{series.name}_count" if series.type is Type.HISTOGRAM else series.shown
    labels = [{key for key, _ in found} for shown_name, found in shown(full()) if shown_name == name]
    assert labels, f"{name} isn't shown"
    assert all(found == set(series.labels) for found in labels)


def test_nothing_is_shown_that_the_list_lacks() -> None:
    families = {f.name for f in text_string_to_metric_families(full().exposition()[0].decode())}
    assert {name for name in families if name.startswith("aistack_")} - {series.name for series in ALL} == set()


def test_the_board_asks_for_metrics_and_labels_that_exist() -> None:
    known = {name: {key for key, _ in labels} for name, labels in shown(full())}
    queries = [target["expr"] for panel in json.loads(dashboard())["panels"] for target in panel["targets"]]
    for query in queries:
        names = set(re.findall(r"\b(?:aistack|process)_\w+", query))
        assert names, query
        assert names <= known.keys(), f"{query}: {names - known.keys()} isn't shown"
        asked = {label for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(", ")}
        asked |= set(re.findall(r"[{,](\w+)=", query))
        assert asked <= set.union(*(known[name] for name in names)), query
    page = Path(__file__).parents[3] / "docs" / "observability.md"
    named = set(re.findall(r"aistack_\w+", page.read_text()))
    assert named <= known.keys(), f"the page names {named - known.keys()}, which isn't shown"
    used = {name for query in queries for name in re.findall(r"aistack_\w+", query)}
    unused = {series.name for series in ALL if not any(name.startswith(series.name) for name in used)}
    assert unused == set(), "a metric that the board doesn't show"
