"""Durations as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import typer

from aistack.cli.durations import age, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("600.0", 600)], ids=str
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "10 m", "1d", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"write e\.g\. 90s, 10m or 1h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0.4, "0s"), (59.9, "59s"), (60, "1m"), (200, "3m20s"), (3600, "1h"), (7500, "2h5m"), (400000, "4d")],
    ids=str,
)
def test_durations_are_written_with_two_units_at_most(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_ages_take_kubernetes_times() -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert age("2026-05-01T11:58:00Z", now) == "2m"
    assert age(None, now) == ""
