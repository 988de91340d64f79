"""The tier report, `manifests/tiers.json`: how far each component is proven, written by the tests that prove it.

A test earns a tier with the marker ``tier(component, tier)``. When a session ends, each component that it tested gets
the highest tier that it earned; a tier whose test failed is lost; one whose test wasn't run stays while the component
is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from aistack.catalog.loader import load_catalog
from aistack.catalog.tiers import digest_of, tier_of

REPORT = Path(__file__).resolve().parent.parent / "manifests" / "tiers.json"
TIERS = ("rendered", "running", "proven", "durable")
"""Lowest first."""

Result = tuple[str, str, bool]
"""Component, tier, and whether its test passed."""


def write_report(results: Iterable[Result]) -> None:
    """Bring the report up to date with a session's results."""
    report = json.loads(REPORT.read_text()) if REPORT.is_file() else {}
    catalog = load_catalog()
    by_component: dict[str, dict[str, bool]] = {}
    for component, tier, passed in results:
        tiers = by_component.setdefault(component, {})
        tiers[tier] = tiers.get(tier, True) and passed
    for component, tiers in by_component.items():
        current = catalog.components[component]
        reached = _highest(tier_of(report, current), tiers)
        report[component] = {"tier": reached, "version": current.spec.versions[0], "digest": digest_of(current)}
    known = {name: entry for name, entry in report.items() if name in catalog.components}
    REPORT.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def _highest(kept: str, tested: dict[str, bool]) -> str:
    """Return the highest tier of an unbroken row from the lowest: earned now, or kept from before."""
    reached = TIERS.index(kept) if kept else -1
    highest = ""
    for number, tier in enumerate(TIERS):
        if not tested.get(tier, number <= reached):
            break
        highest = tier
    return highest
