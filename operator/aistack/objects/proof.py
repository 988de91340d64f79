"""Reports of proofs: what a Job says of each edge that it tried, in its container's termination message.

The report is JSON, ``{edge: [{name, ok, ms, class, message}, ...]}``, as :mod:`aistack.proving.proofs` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OTHER = "other"


@dataclass(frozen=True)
class ProofStep:
    """A piece of real work, or an attempt that must be refused."""

    name: str
    ok: bool
    milliseconds: int = 0


@dataclass(frozen=True)
class EdgeProof:
    """What a run said of one edge. ``failure`` is the class of its fault: auth, absent, network, tls, quota, ..."""

    ok: bool
    steps: tuple[ProofStep, ...] = ()
    failure: str = ""
    message: str = ""
    warning: str = ""
    """What didn't go as it should and broke nothing."""


def parse_report(text: str) -> dict[str, EdgeProof]:
    """Read a report; empty for a text that is none."""
    try:
        report = json.loads(text)
        return {str(edge): _edge(steps) for edge, steps in report.items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def _edge(steps: list[Mapping[str, Any]]) -> EdgeProof:
    done = tuple(ProofStep(str(s["name"]), bool(s["ok"]), int(s.get("ms", 0))) for s in steps)
    if not done:
        return EdgeProof(False, (), OTHER, "its proof did nothing")
    warning = next((str(s["warning"]) for s in steps if s.get("warning")), "")
    failed = next((s for s in steps if not s["ok"]), None)
    if failed is None:
        return EdgeProof(True, done, warning=warning)
    return EdgeProof(False, done, str(failed.get("class", OTHER)), str(failed.get("message", "")), warning)
