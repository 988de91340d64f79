"""Components drafted of Helm charts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from aistack.authoring.begin import Begun, Wish, begin
from aistack.authoring.charts import of_chart
from aistack.catalog.locate import catalog_folder
from aistack.errors import InvalidError
from tests.chart.helm import Helm
from tests.charts import SHOP
from tests.golden import shipped

VERSITY = catalog_folder() / "components" / "versitygw" / "chart"


def begun(parent: Path, chart: Path, *provides: str, given: Path | None = None, requires: Sequence[str] = ()) -> Begun:
    wish = Wish("my-tool", provides, requires)
    return begin(wish, of_chart(provides, str(chart), given), shipped(), catalog_folder(), parent)


def component(found: Begun) -> dict[str, object]:
    return dict(yaml.safe_load((found.folder / "component.yaml").read_text()))


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """What ``helm create`` makes, from which most charts descend."""
    (tmp_path / "charts").mkdir()
    Helm().must("create", tmp_path / "charts" / "web")
    return tmp_path / "charts" / "web"


def test_a_usual_chart_passes_as_it_is(web: Path, tmp_path: Path) -> None:
    found = begun(tmp_path, web)
    assert [str(problem) for problem in found.problems] == []
    made = component(found)
    assert made["versions"] == ["1.16.0"]
    assert made["chart"] == {"path": "chart"}
    values = (found.folder / "values.yaml.j2").read_text()
    for line in (
        "fullnameOverride: {{ name() }}",
        '  repository: {{ image_parts("server").repository }}',
        "ingress:\n  enabled: false",
        "serviceAccount:\n  create: false",
    ):
        assert line in values
    assert (found.folder / "chart/templates/deployment.yaml").read_bytes() == (
        web / "templates/deployment.yaml"
    ).read_bytes()


def test_what_a_stack_may_not_have_is_left_out_by_its_template(web: Path, tmp_path: Path) -> None:
    (web / "templates" / "quota.yaml").write_text("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: release}\n")
    found = begun(tmp_path, web)
    assert found.problems == []
    assert component(found)["chart"] == {"path": "chart", "without": ["templates/quota.yaml"]}


def test_secrets_are_made_once_and_each_workload_is_a_role(tmp_path: Path) -> None:
    chart = Path(shutil.copytree(SHOP / "chart", tmp_path / "shop"))
    values = chart / "values.yaml"
    values.write_text(values.read_text().replace("tag: latest", "tag: 1.0"))
    found = begun(tmp_path, chart, requires=["postgres"])
    made = component(found)
    assert made["chart"] == {"path": "chart", "secrets": ["release-tls"]}
    assert made["workloads"].keys() == {"server", "store"}  # type: ignore[attr-defined]
    assert "storage" in made


def test_a_chart_gets_the_values_that_it_cannot_do_without(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match=r"auth.accessKey is required.*give the values .* by --values FILE"):
        begun(tmp_path, VERSITY, "s3")
    given = tmp_path / "values.yaml"
    given.write_text("auth: {existingSecret: root}\nimage: {tag: 1.8.0}\n")
    found = begun(tmp_path, VERSITY, "s3", given=given)
    assert [str(problem) for problem in found.problems] == []
    made = component(found)
    assert made["provides"][0]["port"] == "s3-api"  # type: ignore[index]
    values = (found.folder / "values.yaml.j2").read_text()
    assert 'size: {{ storage("data").size }}' in values
    assert "existingSecret: root" in values


def test_what_the_chart_leaves_open_is_told_by_line(tmp_path: Path) -> None:
    given = tmp_path / "values.yaml"
    given.write_text("auth: {existingSecret: root}\n")
    (problem,) = begun(tmp_path, VERSITY, given=given).problems
    assert "component.yaml:" in str(problem)
    assert "latest is no version" in problem.problem


REFUSED = {
    "no-chart": ("nowhere", (), "holds no Chart.yaml; name the chart's folder, or oci://"),
    "no-version": ("oci://r.example.com/charts/shop", (), "is no place of a chart; write e.g. oci://"),
    "version-that-is-none": ("oci://r.example.com/charts/shop:latest", (), "version is none of a chart"),
    "too-few-ports": (str(VERSITY), ("s3", "redis"), "the chart has no port left for 'contract: redis'"),
}


@pytest.mark.parametrize(("place", "provides", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_chart_for_it_is_refused(tmp_path: Path, place: str, provides: tuple[str, ...], says: str) -> None:
    given = tmp_path / "values.yaml"
    given.write_text("auth: {existingSecret: root}\n")
    with pytest.raises(InvalidError) as refused:
        of_chart(provides, place, given)
    assert says in str(refused.value)


def test_a_chart_that_cannot_be_parsed_is_refused(web: Path) -> None:
    (web / "templates" / "bad.yaml").write_text("{{ if }}\n")
    with pytest.raises(InvalidError, match=r"--from-chart: .*bad.yaml"):
        of_chart((), str(web))
    (web / "values.yaml").write_text("a: [\n")
    with pytest.raises(InvalidError, match="the chart can't be read"):
        of_chart((), str(web))


def test_what_it_renders_is_looked_at_with_care(web: Path) -> None:
    odd = web / "templates" / "odd.yaml"
    odd.write_text("just: a map\n")
    with pytest.raises(InvalidError, match=r"web/templates/odd.yaml renders to what is no Kubernetes object"):
        of_chart((), str(web))
    odd.unlink()
    values = web / "values.yaml"
    values.write_text(values.read_text().replace("repository: nginx", "repository: NGINX"))
    with pytest.raises(InvalidError, match=r"'NGINX:1.16.0' is no image .*; give another by --values FILE"):
        of_chart((), str(web))
