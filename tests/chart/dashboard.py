"""Grafana's board of the operator, as the chart carries it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 8, 7
SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True)
class Panel:
    """One panel: its queries by legend."""

    title: str
    unit: str
    queries: dict[str, str]
    kind: str = "timeseries"


PANELS = (
    Panel("Replicas that work (must be 1)", "none", {"": "sum(aistack_leader)"}, "stat"),
    Panel("AIStacks that aren't ready", "none", {"{{namespace}}/{{stack}}": "aistack_stack_ready == 0"}, "table"),
    Panel("AIStacks by reason", "none", {"{{reason}}": "sum by (reason) (aistack_stacks)"}),
    Panel("Connections by what proofs say", "none", {"{{state}}": "sum by (state) (aistack_edges)"}),
    Panel(
        "Passes",
        "reqps",
        {"{{outcome}} {{reason}}": "sum by (outcome, reason) (rate(aistack_reconciles_total[5m]))"},
    ),
    Panel(
        "Time of a pass",
        "s",
        {
            "p50": "histogram_quantile(0.5, sum by (le) (rate(aistack_reconcile_duration_seconds_bucket[5m])))",
            "p99": "histogram_quantile(0.99, sum by (le) (rate(aistack_reconcile_duration_seconds_bucket[5m])))",
            "longest under way": "max(aistack_queue_longest_seconds)",
        },
    ),
    Panel("Queue", "none", {"waiting": "sum(aistack_queue_depth)", "worked on": "sum(aistack_queue_running)"}),
    Panel("Oldest in the queue", "s", {"": "max(aistack_queue_oldest_seconds)"}),
    Panel(
        "What was done to objects",
        "none",
        {"{{verb}} {{kind}}": "sum by (verb, kind) (increase(aistack_object_changes_total[5m]))"},
    ),
    Panel(
        "Drift repaired",
        "none",
        {"{{kind}}": 'sum by (kind) (increase(aistack_object_changes_total{verb="repaired"}[1h]))'},
    ),
    Panel("Requests", "reqps", {"{{verb}} {{kind}}": "sum by (verb, kind) (rate(aistack_api_calls_total[5m]))"}),
    Panel(
        "Refused or unanswered requests",
        "reqps",
        {"{{code}} {{kind}}": 'sum by (code, kind) (rate(aistack_api_calls_total{code=~"none|4..|5.."}[5m]))'},
    ),
    Panel("Objects in memory", "none", {"{{kind}}": "max by (kind) (aistack_cache_objects)"}),
    Panel(
        "Silence of watches",
        "s",
        {"{{kind}}": "max by (kind) (aistack_cache_lag_seconds)", "degraded": "sum(aistack_watches_degraded)"},
    ),
    Panel("Memory", "bytes", {"{{pod}}": "process_resident_memory_bytes and on (instance, job) aistack_leader"}),
    Panel(
        "Turns and restarts",
        "none",
        {
            "leader changed": "sum(increase(aistack_leader_turns_total[1h]))",
            "watch on AIStacks restarted": "sum(increase(aistack_stack_watch_restarts_total[1h]))",
        },
    ),
    Panel("Versions", "none", {"{{version}}": "count by (version) (aistack_build_info)"}, "stat"),
)


def dashboard() -> str:
    """Return the board's JSON."""
    board = {
        "uid": "aistack-operator",
        "title": "AIStack operator",
        "tags": ["aistack"],
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Data source"}]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(board, indent=1) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, 24 // WIDTH)
    instant = panel.kind == "table"
    return {
        "id": number + 1,
        "title": panel.title,
        "type": panel.kind,
        "datasource": SOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                **({"instant": True, "format": "table"} if instant else {}),
            }
            for at, (legend, expression) in enumerate(panel.queries.items())
        ],
    }
