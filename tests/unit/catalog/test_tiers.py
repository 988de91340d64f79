"""Tiers: earned by the conformance suite, kept while the component is the same, and lost with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aistack.catalog.charts import Chart, ChartSource
from aistack.catalog.models import Component
from aistack.catalog.tiers import Reports, digest_of, read_reports, tiers_of
from aistack.errors import CatalogError
from tests.toy import starter

POSTGRES = starter().components["postgres"]
CHART = ChartSource(Chart(path="chart"), "digest", "values", "components/postgres")
OTHERS = {
    "another-template": replace(POSTGRES, templates={**POSTGRES.templates, "x.yaml.j2": "a: b"}),
    "another-file": replace(POSTGRES, files={"x": ""}),
    "another-chart": replace(POSTGRES, chart=CHART),
    "another-value": replace(POSTGRES, values_schema={"properties": {}}),
    "another-tag": replace(
        POSTGRES,
        spec=POSTGRES.spec.model_copy(
            update={"images": {k: i.model_copy(update={"tag": "x"}) for k, i in POSTGRES.spec.images.items()}}
        ),
    ),
}


def report_of(tier: str) -> Reports:
    return {"postgres": {"tier": tier, "version": "17", "digest": digest_of(POSTGRES)}}


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_what_was_earned_is_lost_when_the_component_changes(tmp_path: Path, changed: Component) -> None:
    write(tmp_path, json.dumps(report_of("running")["postgres"]))
    assert tiers_of(tmp_path, {"postgres": POSTGRES}) == {"postgres": "running"}
    assert tiers_of(tmp_path, {"postgres": changed}) == {"postgres": ""}


@pytest.mark.parametrize("text", ["[]", "{", '{"tier": 1}', '{"digest": ["x"]}'])
def test_a_report_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    with pytest.raises(CatalogError, match=r"components/postgres/conformance\.json"):
        read_reports(tmp_path)


def test_reports_are_read_from_the_components_folders(tmp_path: Path) -> None:
    assert read_reports(tmp_path) == {}
    (tmp_path / "components" / "untried").mkdir(parents=True)
    write(tmp_path, json.dumps(report_of("proven")["postgres"]))
    assert read_reports(tmp_path) == report_of("proven")


def test_a_report_is_no_part_of_what_it_is_about() -> None:
    """Written into the folder, it must not make itself stale."""
    assert not {"conformance.json"} & {*POSTGRES.files, *POSTGRES.templates}


def write(root: Path, text: str) -> None:
    folder = root / "components" / "postgres"
    folder.mkdir(parents=True)
    (folder / "conformance.json").write_text(text)
