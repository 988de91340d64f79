"""Proves a server of metrics: ask as its consumer does, see that all it collects is up, and others get nothing."""

import secrets
import time
from typing import Any

from contracts.metrics.client import query, targets

PATIENCE_SECONDS = 75.0
"""A program that has just started shows up with the next round of collecting: within a minute, by our own values."""
PAUSE_SECONDS = 2.0
RECENT = "5m"


def prove(share: dict[str, str], step: Any) -> None:
    """Ask, and ask again without a right to."""
    with step("ask for a sum"):
        add(share)
    with step("find metrics that were collected"):
        wait(lambda: collected(share))
    if share.get("selector"):
        with step("everything it collects is up"):
            wait(lambda: all_up(share))
    if share.get("username"):
        step.refuses("a question without a login", lambda: query({**share, "username": ""}, "vector(1)"))
        wrong = {**share, "password": secrets.token_hex(20)}
        step.refuses("a wrong password", lambda: query(wrong, "vector(1)"))


def add(share: dict[str, str]) -> None:
    """Let the server work something out."""
    answer = query(share, "vector(40) + 2")
    if [series["value"][1] for series in answer] != ["42"]:
        raise RuntimeError(f"40 + 2 came to {answer!r:.200}")


def collected(share: dict[str, str]) -> str:
    """Return what is missing where nothing was collected lately; empty if something was."""
    answer = query(share, f"count(count_over_time(up{{{share.get('selector', '')}}}[{RECENT}]))")
    return "" if answer else f"nothing was collected in the last {RECENT}: is the selector right?"


def all_up(share: dict[str, str]) -> str:
    """Return what is down."""
    labels = [series["metric"] for series in query(share, f"up{{{share['selector']}}} != 1")]
    # Of one that was never asked there is no series; at a server of our own it is missing nevertheless.
    if share.get("logins-port"):
        labels += [target["labels"] for target in targets(share) if target["health"] == "unknown"]
    down = sorted(", ".join(filter(None, map(found.get, ("job", "instance")))) for found in labels)
    return f"not up: {'; '.join(down)}" if down else ""


def wait(problem: Any) -> None:
    """Wait until a problem is gone.

    Raises:
        LookupError: it stayed.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while found := problem():
        if time.monotonic() > end:
            raise LookupError(found)
        time.sleep(PAUSE_SECONDS)
