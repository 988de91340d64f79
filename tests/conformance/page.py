"""docs/conformance.md: what was tried of every component, and how it came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aistack.catalog.loader import load_catalog
from aistack.catalog.tiers import Reports, current_reports
from aistack.cli.conformance.steps import STEPS

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOG = ROOT / "manifests"
PAGE = ROOT / "docs" / "conformance.md"
INTRODUCTION = """\
<!-- Made by 'make generate' from the reports in the components' folders; don't edit. -->

# Conformance

Every component was tried with `aistack component test NAME`, the suite that anybody can try components with, ours and
others'; `make conformance` does it on a kind cluster. `aistack catalog` reads the tier from its report,
`conformance.json` in the component's folder: **rendered**, the API server accepts it; **running**, it gets ready;
**proven**, what it provides and needs did real work; **durable**, it survives restarts and upgrades with its data, and
goes without a trace. A component that was changed since has no tier until it is tried again.
"""
_MARKS = {"passed": "✓", "failed": "**✗**", "skipped": "-"}
_ADVICE = "*advice*"


def conformance_page() -> tuple[Path, str]:
    """Return the page and its text."""
    components = load_catalog().components
    reports = current_reports(CATALOG, components)
    untried = sorted(components.keys() - reports.keys())
    return PAGE, "\n".join([INTRODUCTION, *_table(reports, untried), "", *_details(reports)]) + "\n"


def _table(reports: Reports, untried: Sequence[str]) -> Iterator[str]:
    yield f"| | {' | '.join(reports)} |"
    yield "|---" * (len(reports) + 1) + "|"
    yield _row("version", (report["version"] for report in reports.values()))
    yield _row("**tier**", (f"**{report['tier'] or 'none'}**" for report in reports.values()))
    for step in STEPS:
        yield _row(step.name, (_mark(report, step.name) for report in reports.values()))
    yield _row("on Kubernetes", (report.get("kubernetes", "") for report in reports.values()))
    yield _row("on", (report.get("date", "") for report in reports.values()))
    yield ""
    yield f"Not tried as they are now: {', '.join(untried) or 'none'}."
    yield ""
    yield "✓ kept; - doesn't apply; ✗ not kept; advice where no tier needs it: what idles uses less than it is given."


def _row(title: str, cells: Iterator[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"


def _mark(report: Mapping[str, Any], name: str) -> str:
    return next((_mark_of(line) for line in report["steps"] if line["step"] == name), "")


def _mark_of(line: Mapping[str, Any]) -> str:
    return _ADVICE if line["result"] == "failed" and not line["tier"] else _MARKS[line["result"]]


def _details(reports: Reports) -> Iterator[str]:
    for name, report in reports.items():
        yield f"## {name} {report['version']}"
        yield ""
        for line in report["steps"]:
            said = f": {line['message']}" if line["message"] else ""
            yield f"- {_mark_of(line)} {line['step']} ({line['seconds']:.0f} s){said}"
        yield ""
