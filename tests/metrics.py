"""docs/metrics.md: every metric of the operator."""

from __future__ import annotations

from pathlib import Path

from aistack.controller.series import ALL, Series

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
INTRODUCTION = """\
<!-- Made by 'make generate' from operator/aistack/controller/series.py; don't edit. -->

# The operator's metrics

At port 8080, `/metrics`, of each replica; [observability.md](observability.md) says how Prometheus gets there. One that
waits for its turn leaves out queue, AIStacks and connections, as the leader tells of them. There is one series for each
AIStack, and none for each of its objects.

| metric | type | labels | |
|---|---|---|---|
"""


def metrics_page() -> tuple[Path, str]:
    """Return the page and its text."""
    rows = [*map(_row, ALL), "| `process_*` | | | CPU, memory, files and start of the process. |"]
    return PAGE, INTRODUCTION + "\n".join(rows) + "\n"


def _row(series: Series) -> str:
    labels = ", ".join(f"`{label}`" for label in series.labels)
    return f"| `{series.shown}` | {series.type} | {labels} | {series.told} |"
