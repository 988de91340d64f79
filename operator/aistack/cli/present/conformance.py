"""The conformance suite's lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aistack.cli.conformance.report import Line, Result

_MARKS = {Result.PASSED: "ok", Result.FAILED: "FAILED", Result.SKIPPED: "-"}
_ADVICE = "advice"


def line_of(line: Line) -> str:
    """Write what came of a step in one line; what failed and no tier needs is advice."""
    mark = _ADVICE if line.result is Result.FAILED and not line.tier else _MARKS[line.result]
    return f"{mark:<7} {line.seconds:>6.1f}s  {line.step}" + (f": {line.message}" if line.message else "")


def verdict(report: Mapping[str, Any]) -> str:
    """Write which tier was reached."""
    return f"{report['component']} {report['version']}: {report['tier'] or 'not even rendered'}"
