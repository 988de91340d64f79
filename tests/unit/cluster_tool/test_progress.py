"""Progress lines: numbered, timed, and alive during long steps."""

from __future__ import annotations

import io
import time

import pytest

from tests.cluster.common.progress import Progress, duration


def test_a_step_says_what_it_does_how_long_and_how_it_went() -> None:
    out = io.StringIO()
    clock = iter([0.0, 399.0])
    progress = Progress(2, out, clock=lambda: next(clock))
    with progress.step("Kubernetes from source", "about 7 min") as step:
        step.result = "3000 packages compiled"
    progress.cached("node image")
    assert out.getvalue().splitlines() == [
        "[1/2] Kubernetes from source: about 7 min",
        "      done in 6m39s (3000 packages compiled)",
        "[2/2] node image: ready",
    ]


def test_a_long_step_gives_signs_of_life_with_its_detail() -> None:
    out = io.StringIO()
    with Progress(1, out, heartbeat=0.02).step("build") as step:
        step.detail = "12 packages compiled"
        deadline = time.monotonic() + 10
        while "12 packages" not in out.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "s, 12 packages compiled" in out.getvalue()


def test_a_failed_step_says_so() -> None:
    out = io.StringIO()
    with pytest.raises(RuntimeError), Progress(1, out).step("build"):
        raise RuntimeError
    assert "failed after" in out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.42, "0.4s"), (9.94, "9.9s"), (12.3, "12s"), (60, "1m00s"), (399, "6m39s"), (3600, "60m00s")],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert duration(seconds) == words
