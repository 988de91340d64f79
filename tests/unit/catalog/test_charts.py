"""What component.yaml says of a chart: where it is, and nothing that leads elsewhere; each problem by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from aistack.catalog.charts import folder_digest, in_release
from aistack.catalog.check import check_folders
from aistack.catalog.loader import load_component
from aistack.catalog.models import Component
from aistack.errors import CatalogError
from tests.charts import ROOT, SHOP, changed

TEXT = (SHOP / "component.yaml").read_text().partition("chart:\n")[0]
DIGEST = "sha256:" + 64 * "a"
REMOTE = f"{{repository: 'oci://registry.example/charts', name: shop, version: 1.2.3, digest: '{DIGEST}'}}"


def load(folder: Path, chart: str) -> Component:
    return changed(folder, {"component.yaml": f"{TEXT}chart: {chart}\n"})


def refuse(folder: Path, chart: str) -> str:
    with pytest.raises(CatalogError) as refused:
        load(folder, chart)
    return str(refused.value)


def test_a_folder_is_known_by_its_contents(tmp_path: Path) -> None:
    source = load_component(ROOT, SHOP).chart
    assert source is not None
    assert source.folder == (SHOP / "chart").resolve()
    assert source.digest == folder_digest(SHOP / "chart")
    assert source.title == "components/shop/chart"
    again = changed(tmp_path, {"chart/values.yaml": "a: b\n"}).chart
    assert again is not None
    assert again.digest != source.digest


def test_a_remote_chart_is_known_by_its_digest_and_not_fetched(tmp_path: Path) -> None:
    source = load(tmp_path, REMOTE).chart
    assert source is not None
    assert (source.folder, source.digest) == (None, DIGEST)
    assert source.title == "shop 1.2.3 of oci://registry.example/charts"


def test_users_reach_its_own_values(tmp_path: Path) -> None:
    assert load(tmp_path, REMOTE).values_schema["properties"]["chart"]["default"] == {}


REFUSED = {
    "nothing": ("{}", "chart: lacks repository, name, version, digest; write path for a folder"),
    "half": ("{repository: 'https://x.example', name: shop}", "chart: lacks version, digest"),
    "both": (REMOTE.replace("{", "{path: chart, ", 1), "leave out repository, name, version, digest"),
    "plain-http": (REMOTE.replace("oci", "http"), "chart.repository: String should match"),
    "file": (REMOTE.replace("oci", "file"), "chart.repository: String should match"),
    "login-in-it": (REMOTE.replace("oci://", "oci://me:secret@"), "chart.repository: String should match"),
    "option-as-a-name": (REMOTE.replace("name: shop", "name: --help"), "chart.name: String should match"),
    "range": (REMOTE.replace("1.2.3", "'^1.2'"), "chart.version: String should match"),
    "no-digest": (REMOTE.replace(DIGEST, "sha256:abc"), "chart.digest: String should match"),
    "outside": ("{path: ../other/chart}", "chart.path: is no path inside the folder"),
    "absolute": ("{path: /etc}", "chart.path: is no path inside the folder"),
    "no-folder": ("{path: nowhere}", "chart.path: nowhere holds no Chart.yaml"),
    "without-outside": ("{path: chart, without: [../x]}", "chart.without.0: is no path inside the folder"),
    "secret-of-no-release": ("{path: chart, secrets: [tls]}", "chart.secrets.0: String should match"),
    "patch-of-no-way": ("{path: chart, patches: [{target: {kind: Pod}}]}", "says how in two ways, or in none"),
    "unknown": ("{path: chart, colour: red}", "chart.colour: Extra inputs"),
}


@pytest.mark.parametrize(("chart", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_chart_is_refused_with_its_line(tmp_path: Path, chart: str, says: str) -> None:
    message = refuse(tmp_path, chart)
    assert message.startswith(f"components/shop/component.yaml:{TEXT.count(chr(10)) + 1}: ")
    assert says in message


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    changed(tmp_path, {})
    (tmp_path / "components" / "shop" / "elsewhere").symlink_to(SHOP / "chart")
    assert "elsewhere leads out of the component's folder" in refuse(tmp_path, "{path: elsewhere}")


def test_a_link_inside_a_chart_is_refused(tmp_path: Path) -> None:
    changed(tmp_path, {})
    (tmp_path / "components" / "shop" / "chart" / "x.yaml").symlink_to("/etc/passwd")
    assert "x.yaml is no plain file" in refuse(tmp_path, "{path: chart}")


def test_a_value_of_that_name_is_refused(tmp_path: Path) -> None:
    schema = '{"properties": {"chart": {"type": "string", "default": ""}}}'
    with pytest.raises(CatalogError, match="is where users reach the chart's own values"):
        changed(tmp_path, {"values.schema.json": schema})


def test_without_a_template_of_values(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"components/shop/values\.yaml\.j2: is missing"):
        changed(tmp_path, {"values.yaml.j2": None})


def test_a_component_of_a_chart_alone_is_checked_as_all_are(tmp_path: Path) -> None:
    changed(tmp_path, {})
    (tmp_path / "contracts" / "sql").mkdir(parents=True)
    problems = [str(problem) for problem in check_folders(tmp_path) if "components/shop" in str(problem)]
    assert problems == []


@pytest.mark.parametrize(
    ("name", "found"),
    [("release", "demo-x"), ("release-tls", "demo-x-tls"), ("released-tls", "released-tls"), ("other", "other")],
)
def test_names_in_a_release(name: str, found: str) -> None:
    assert in_release(name, "demo-x") == found
