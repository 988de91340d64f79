"""Which clusters will do; and one list of tested versions for the code, the test clusters, the chart and the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aistack.api.versions import OLDEST_KUBERNETES, TESTED_KUBERNETES, Fit, judge_server, range_tested
from tests.cluster.build import servers

ROOT = Path(__file__).parents[3]
JUDGED = {
    "too old": ("1", "29", "v1.29.4", Fit.TOO_OLD, "v1.29.4 is too old", "1.30 or newer is needed"),
    "oldest": ("1", "30", "v1.30.0", Fit.UNTESTED, "v1.30.0 (tests run on 1.34 to 1.36)", ""),
    "tested": ("1", "34", "v1.34.9", Fit.TESTED, "v1.34.9", ""),
    "a cloud's": ("1", "36+", "v1.36.2-gke", Fit.TESTED, "v1.36.2-gke", ""),
    "newer": ("1", "38", "v1.38.0", Fit.NEWER, "v1.38.0 is newer than", "look for a newer AIStack"),
    "another major": ("2", "0", "v2.0.0", Fit.NEWER, "v2.0.0 is newer than", "look for a newer AIStack"),
}


@pytest.mark.parametrize(("major", "minor", "name", "fit", "says", "remedy"), JUDGED.values(), ids=JUDGED)
def test_a_version_is_judged(major: str, minor: str, name: str, fit: Fit, says: str, remedy: str) -> None:
    found = judge_server({"major": major, "minor": minor, "gitVersion": name})
    assert found.fit is fit
    assert str(found).startswith(says)
    assert remedy in found.remedy
    assert bool(remedy) == bool(found.remedy)


def test_the_test_clusters_are_what_is_called_tested() -> None:
    assert {version.removeprefix("v") for version in servers.available().values()} >= set(TESTED_KUBERNETES)


@pytest.mark.parametrize(
    ("page", "tested"),
    [("README.md", range_tested()), ("docs/install.md", ", ".join(TESTED_KUBERNETES))],
)
def test_pages_name_them(page: str, tested: str) -> None:
    oldest = ".".join(map(str, OLDEST_KUBERNETES))
    assert f"Kubernetes {oldest} or newer (tested: {tested})" in (ROOT / page).read_text("utf-8")


def test_the_chart_refuses_what_is_too_old() -> None:
    chart = yaml.safe_load((ROOT / "charts" / "aistack-operator" / "Chart.yaml").read_text("utf-8"))
    assert chart["kubeVersion"] == f">={'.'.join(map(str, OLDEST_KUBERNETES))}.0-0"
