"""The conformance suite, with a component of the catalog, on real nodes."""

from __future__ import annotations

import json

import pytest

from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

TRIED, PROVIDES = "valkey", "redis"
"""The quickest; `make conformance` tries all."""


def test_a_component_keeps_its_promises(starter: Starter) -> None:
    done = starter.aistack("component", "test", TRIED, "-o", "json", timeout=500)
    report = json.loads(done.stdout)
    results = {step["step"]: step["result"] for step in report["steps"]}
    assert "failed" not in [r for name, r in results.items() if name != "asks for what it uses"], report
    assert report["tier"] == "durable"
    told = next(step["message"] for step in report["steps"] if step["step"] == "provides what it says")
    assert told == f"app-to-{PROVIDES}/{PROVIDES}"
