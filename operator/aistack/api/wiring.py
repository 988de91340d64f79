"""What a user says about connections: proofs, and providers of one's own. Docstrings of fields are for ``explain``."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from aistack.api.model import Model
from aistack.api.rules import Rule, matches
from aistack.api.texts import CatalogName, ObjectName

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


class LocalObjectReference(Model):
    """Names a Secret in the stack's namespace."""

    name: ObjectName
    """Name of the Secret."""


class Access(StrEnum):
    """What the Secret of an external provider opens."""

    ADMIN = "Admin"
    SHARE = "Share"


class External(Model):
    """A provider that runs outside the stack, known by a Secret."""

    contract: CatalogName
    """What it provides, e.g. postgres or s3; 'aistack catalog show CONTRACT' lists the keys of its Secret."""

    secret_ref: LocalObjectReference
    """Secret in this namespace with the contract's keys (host, port, username, password, ...), and ca.crt if its
    certificate is signed by a private authority. When it changes, the new one is proven, then consumers follow."""

    components: Annotated[tuple[CatalogName, ...], Field(max_length=64)] = ()
    """Components that use it; all that need the contract if none is named."""

    access: Access = Access.ADMIN
    """What the Secret opens. Admin: it may create users and databases or buckets, and each component gets a share of
    its own. Share: it is the share of one component, used as it is; nothing is created at the provider."""
