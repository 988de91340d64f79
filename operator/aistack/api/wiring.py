"""What a user says about connections: how they are proven. Docstrings of fields are for ``explain``."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from aistack.api.model import Model
from aistack.api.rules import Rule, matches

OFF, ON_CHANGE = "off", "on-change"
_DURATION = "([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?"
_UNITS = {"h": 3600, "m": 60, "s": 1}
LEAST_SECONDS = 10


def seconds_of(every: str) -> int:
    """Return the seconds of a duration such as ``1h30m``; 0 for ``off`` and ``on-change``."""
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([hms])", every))


_LONG_ENOUGH = Rule(
    f"self in ['{OFF}', '{ON_CHANGE}'] || duration(self) >= duration('{LEAST_SECONDS}s')",
    "is too short",
    f"write at least {LEAST_SECONDS}s, e.g. 1h",
    lambda text: text in (OFF, ON_CHANGE) or seconds_of(text) >= LEAST_SECONDS,
)
Every = Annotated[
    str,
    StringConstraints(min_length=2, max_length=16),
    matches(
        f"{OFF}|{ON_CHANGE}|{_DURATION}",
        "is no interval",
        f"write a duration such as 15m or 1h, or {ON_CHANGE}, or {OFF}",
    ),
    _LONG_ENOUGH,
]


class Readiness(StrEnum):
    """What Ready waits for."""

    HEALTH = "Health"
    PROVEN = "Proven"


class Proofs(Model):
    """How often connections are tried by doing real work over them."""

    every: Every = "1h"
    """How often each connection is proven besides after every change of it: a duration such as 15m or 1h (at least
    10s), on-change for no other time, or off for never."""
