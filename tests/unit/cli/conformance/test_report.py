"""What comes of the steps, and the tier that it makes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest

from aistack.cli.conformance.report import Line, Result, carry_out, report, tier_of
from aistack.cli.conformance.steps import STEPS, SkippedError, Step, Trial
from aistack.cli.present.conformance import line_of, verdict
from aistack.errors import ClusterError, NonconformingError
from tests.toy import toy

P, F, S = Result.PASSED, Result.FAILED, Result.SKIPPED
CASES: dict[str, tuple[list[tuple[str, Result]], str]] = {
    "nothing was tried": ([], ""),
    "the lowest failed": ([("rendered", F)], ""),
    "all passed": ([("rendered", P), ("running", P), ("proven", P), ("durable", P)], "durable"),
    "one of a tier failed": ([("rendered", P), ("running", P), ("proven", P), ("proven", F)], "running"),
    "one doesn't apply": ([("rendered", P), ("running", P), ("proven", S), ("proven", P)], "proven"),
    "none of a tier applies": ([("rendered", P), ("running", P), ("proven", S), ("durable", P)], "running"),
    "a lower one failed": ([("rendered", P), ("running", F), ("proven", P)], "rendered"),
    "advice makes no tier": ([("rendered", P), ("running", P), ("", F)], "running"),
}


@pytest.mark.parametrize(("results", "tier"), CASES.values(), ids=CASES)
def test_tier(results: Iterable[tuple[str, Result]], tier: str) -> None:
    assert tier_of(Line("x", of, result, 1.0) for of, result in results) == tier


def step(name: str, tier: str, error: Exception | None = None) -> Step:
    async def do(_: Trial) -> str:
        if error:
            raise error
        return "said"

    return Step(name, tier, do)


async def lines(*steps: Step) -> list[tuple[str, str, str]]:
    found = [line async for line in carry_out(cast("Trial", None), steps)]
    return [(line.step, line.result.value, line.message) for line in found]


async def test_steps_go_on_after_what_others_do_not_need() -> None:
    tried = (
        step("a", "rendered"),
        step("b", "proven", NonconformingError("no")),
        step("c", "proven", SkippedError("has none")),
        step("d", "durable", TimeoutError()),
        step("e", "durable", ClusterError("away")),
    )
    assert await lines(*tried) == [
        ("a", "passed", "said"),
        ("b", "failed", "no"),
        ("c", "skipped", "has none"),
        ("d", "failed", "took too long"),
        ("e", "failed", "away"),
    ]


async def test_what_does_not_run_is_tried_no_further() -> None:
    assert await lines(step("a", "running", NonconformingError("no")), step("b", "durable")) == [("a", "failed", "no")]


def test_the_suite_ends_with_what_takes_the_stack_away() -> None:
    assert STEPS[-1].name == "goes without a trace"
    assert [s.tier for s in STEPS[:3]] == ["rendered", "rendered", "running"], "what all others need comes first"


def test_report_and_lines() -> None:
    found: list[Line] = [
        Line("renders", "rendered", P, 1.0, "3 objects"),
        Line("uses", "", F, 2.0, "asks for more"),
        Line("provides", "proven", F, 61.5, "no"),
        Line("upgrades", "durable", S, 0.0),
    ]
    told: dict[str, Any] = report(toy().components["store"], found, "v1.34.4", "2026-11-28")
    assert (told["component"], told["version"], told["tier"]) == ("store", "1", "rendered")
    assert (told["kubernetes"], told["date"]) == ("v1.34.4", "2026-11-28")
    assert told["steps"][0] == {
        "step": "renders", "tier": "rendered", "result": "passed", "seconds": 1.0, "message": "3 objects",
    }  # fmt: skip
    assert [line_of(line) for line in found] == [
        "ok         1.0s  renders: 3 objects",
        "advice     2.0s  uses: asks for more",
        "FAILED    61.5s  provides: no",
        "-          0.0s  upgrades",
    ]
    assert verdict(told) == "store 1: rendered"
    assert verdict({**told, "tier": ""}) == "store 1: not even rendered"
