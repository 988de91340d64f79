"""Tiers: earned by tests, kept while the component is the same, and lost with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aistack.catalog.models import Component
from aistack.catalog.tiers import Report, digest_of, read_tiers, tier_of
from aistack.errors import CatalogError
from tests import tiers
from tests.toy import starter

POSTGRES = starter().components["postgres"]
OTHERS = {
    "another-template": replace(POSTGRES, templates={**POSTGRES.templates, "x.yaml.j2": "a: b"}),
    "another-file": replace(POSTGRES, files={"x": ""}),
    "another-value": replace(POSTGRES, values_schema={"properties": {}}),
    "another-tag": replace(
        POSTGRES,
        spec=POSTGRES.spec.model_copy(
            update={"images": {k: i.model_copy(update={"tag": "x"}) for k, i in POSTGRES.spec.images.items()}}
        ),
    ),
}


def report_of(tier: str) -> Report:
    return {"postgres": {"tier": tier, "version": "17", "digest": digest_of(POSTGRES)}}


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_what_was_earned_is_lost_when_the_component_changes(changed: Component) -> None:
    assert tier_of(report_of("running"), POSTGRES) == "running"
    assert tier_of(report_of("running"), changed) == ""


@pytest.mark.parametrize("text", ["[]", "{", '{"postgres": "running"}'])
def test_a_report_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "tiers.json").write_text(text)
    with pytest.raises(CatalogError, match=r"tiers\.json"):
        read_tiers(tmp_path)


RESULTS: dict[str, tuple[Report, list[tiers.Result], str]] = {
    "first": ({}, [("postgres", "rendered", True)], "rendered"),
    "one-of-several-fails": ({}, [("postgres", "rendered", True), ("postgres", "rendered", False)], ""),
    "nothing-below": ({}, [("postgres", "running", True)], ""),
    "higher": (report_of("rendered"), [("postgres", "running", True)], "running"),
    "what-was-not-run-stays": (report_of("running"), [("postgres", "rendered", True)], "running"),
    "lost": (report_of("running"), [("postgres", "rendered", False)], ""),
    "of-another-content": (
        {"postgres": {**report_of("running")["postgres"], "digest": "?"}},
        [("postgres", "rendered", True)],
        "rendered",
    ),
}


@pytest.mark.parametrize(("before", "results", "expected"), RESULTS.values(), ids=RESULTS)
def test_the_report_says_what_tests_earned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Report, results: list[tiers.Result], expected: str
) -> None:
    monkeypatch.setattr(tiers, "REPORT", tmp_path / "tiers.json")
    tiers.REPORT.write_text(json.dumps({**before, "gone": {}}))
    tiers.write_report(results)
    written = json.loads(tiers.REPORT.read_text())
    assert written.keys() == {"postgres"}
    assert written["postgres"]["version"] == POSTGRES.spec.versions[0]
    assert tier_of(written, POSTGRES) == expected
