"""The conformance suite, with components of the catalog, on real nodes."""

from __future__ import annotations

import json

import pytest

from tests.journey.starter import Starter

pytestmark = pytest.mark.e2e

TRIED = {"valkey": ("redis",), "redis": ("redis",)}
"""Components that no other test runs on their own, and what they provide."""


@pytest.mark.parametrize("component", TRIED)
def test_a_component_keeps_its_promises(starter: Starter, component: str) -> None:
    done = starter.aistack("component", "test", component, "-o", "json", timeout=500)
    report = json.loads(done.stdout)
    results = {step["step"]: step["result"] for step in report["steps"]}
    assert "failed" not in [r for name, r in results.items() if name != "asks for what it uses"], report
    assert report["tier"] == "durable"
    told = next(step["message"] for step in report["steps"] if step["step"] == "provides what it says")
    assert told == ", ".join(f"app-to-{contract}/{contract}" for contract in TRIED[component])
