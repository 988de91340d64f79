"""What came of the suite, and the tier that a component earned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import version
from time import monotonic
from typing import Any

from aistack.catalog.models import Component
from aistack.catalog.tiers import digest_of
from aistack.cli.conformance.steps import STEPS, SkippedError, Step, Trial
from aistack.errors import AIStackError

TIERS = ("rendered", "running", "proven", "durable")
"""Lowest first."""


class Result(StrEnum):
    """How a step came out."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It doesn't apply."""


@dataclass(frozen=True)
class Line:
    """What came of one step."""

    step: str
    tier: str
    result: Result
    seconds: float
    message: str = ""


async def carry_out(trial: Trial, steps: Iterable[Step] = STEPS) -> AsyncIterator[Line]:
    """Try a component step by step; where it doesn't get ready, nothing that needs that is tried."""
    stopped = False
    for step in steps:
        if stopped:
            return
        started = monotonic()
        try:
            result, message = Result.PASSED, await step.do(trial)
        except SkippedError as why:
            result, message = Result.SKIPPED, str(why)
        except (AIStackError, TimeoutError) as error:
            result, message = Result.FAILED, str(error) or "took too long"
            stopped = step.tier in ("rendered", "running")
        yield Line(step.name, step.tier, result, round(monotonic() - started, 1), message)


def tier_of(lines: Iterable[Line]) -> str:
    """Return the highest tier of an unbroken row whose steps all passed, or don't apply; empty if there is none."""
    found, tried = list(lines), set[str]()
    failed = {line.tier for line in found if line.result is Result.FAILED}
    tried = {line.tier for line in found if line.result is Result.PASSED}
    reached = ""
    for tier in TIERS:
        if tier in failed or tier not in tried:
            break
        reached = tier
    return reached


def report(component: Component, lines: Iterable[Line], kubernetes: str, date: str) -> dict[str, Any]:
    """Return the report as data.

    Args:
        component: what was tried.
        lines: what came of each step.
        kubernetes: the version that it was tried on.
        date: when, YYYY-MM-DD.
    """
    found = list(lines)
    return {
        "component": component.name,
        "version": component.spec.versions[0],
        "digest": digest_of(component),
        "tier": tier_of(found),
        "date": date,
        "kubernetes": kubernetes,
        "aistack": version("aistack"),
        "steps": [asdict(line) for line in found],
    }
