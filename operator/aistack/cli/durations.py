"""Durations, as people write and read them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import typer

_UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)([smh]?)$")


def parse_duration(text: str) -> float:
    """Return the seconds that ``90s``, ``10m``, ``1h`` or ``90`` mean.

    Raises:
        typer.BadParameter: it is none of these.
    """
    match = _DURATION.match(str(text))
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration; write e.g. 90s, 10m or 1h")
    return float(match.group(1)) * _UNITS[match.group(2)]


def format_duration(seconds: float) -> str:
    """Write seconds with at most two units, as kubectl writes ages: ``42s``, ``3m20s``, ``2h5m``, ``4d``."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    for limit, big, small, letters in ((3600, 60, 1, "ms"), (86400, 3600, 60, "hm")):
        if whole < limit:
            rest = whole % big // small
            return f"{whole // big}{letters[0]}" + (f"{rest}{letters[1]}" if rest else "")
    return f"{whole // 86400}d"


def age(since: datetime | str | None, now: datetime) -> str:
    """Write how long ago a moment was; empty if it isn't known."""
    moment = datetime.fromisoformat(since) if isinstance(since, str) and since else since
    return format_duration((now - moment).total_seconds()) if isinstance(moment, datetime) else ""


Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        parser=parse_duration,
        metavar="DURATION",
        show_default=False,
        help="Give up waiting after that; default: 10m.",
    ),
]
DEFAULT_TIMEOUT = 600.0
"""Seconds; longer than a first start takes that pulls all images."""
