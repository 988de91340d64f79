"""Charts of repositories, fetched for real: from a registry with a login, and by https, both of a private authority."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import orjson
import pytest

from aistack.authoring.charts import of_chart
from aistack.catalog.charts import Chart, ChartRequest, ChartSource
from aistack.errors import AIStackError, CatalogError, ToolError
from aistack.rendering import plan_new
from aistack.sources import helm as helm_module
from aistack.sources.charts import Charts
from aistack.sources.helm import Helm
from aistack.sources.process import Limits
from tests.chart.helm import helm
from tests.charts import SHOP, SPEC, changed, charts, packed, with_shop
from tests.repositories import Repository, registry, web
from tests.toy import stack

pytestmark = [pytest.mark.integration, pytest.mark.any_version]


@dataclass
class Published:
    """The shop's chart in a repository."""

    where: Repository
    digest: str
    folder: Path

    def source(self, digest: str = "", version: str = "0.3.0", repository: str = "") -> ChartSource:
        digest = digest or self.digest
        chart = Chart(
            repository=repository or self.where.address,
            name="shop",
            version=version,
            digest=digest,
            secrets=("release-tls",),
        )
        return ChartSource(chart, digest, "", "components/shop")

    def charts(self, cache: str = "cache", *, trusted: bool = True, known: bool = True) -> Charts:
        logins = str(self.where.logins or "") if known else ""
        trust = str(self.where.trust) if trusted else ""
        return Charts(Helm(str(helm()), trust, logins), self.folder / cache)

    def render(self, source: ChartSource, charts: Charts | None = None) -> int:
        request = ChartRequest(source, "demo-shop", "ml", orjson.dumps({"fullnameOverride": "demo-shop"}))
        return len((charts or self.charts()).render(request))

    def refuse(self, source: ChartSource, charts: Charts | None = None) -> str:
        with pytest.raises(AIStackError) as refused:
            self.render(source, charts)
        assert list((self.folder / "cache").glob("*.tgz")) == [], "nothing is kept of what was refused"
        return str(refused.value)


def run(*words: str | Path, folder: Path) -> None:
    home = {"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}
    subprocess.run([helm(), *words], cwd=folder, check=True, capture_output=True, env=home)


def package(folder: Path) -> Path:
    run("package", SHOP / "chart", "--destination", folder, folder=folder)
    return folder / "shop-0.3.0.tgz"


def digest_of(archive: Path) -> str:
    return f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}"


@pytest.fixture
def by_https(tmp_path: Path) -> Iterator[Published]:
    files = tmp_path / "files"
    files.mkdir()
    archive = package(files)
    run("repo", "index", files, folder=tmp_path)
    with web(files) as where:
        yield Published(where, digest_of(archive), tmp_path)


@pytest.fixture
def by_oci(tmp_path: Path) -> Iterator[Published]:
    place = tmp_path / "registry"
    place.mkdir()
    archive = package(tmp_path)
    with registry(place) as where:
        run(
            "push",
            archive,
            where.address,
            "--ca-file",
            where.trust,
            "--registry-config",
            str(where.logins),
            folder=tmp_path,
        )
        yield Published(where, digest_of(archive), tmp_path)


@pytest.fixture(params=["https", "oci"])
def published(request: pytest.FixtureRequest) -> Published:
    found: Published = request.getfixturevalue(f"by_{request.param}")
    return found


def test_a_chart_is_fetched_once_and_renders_as_its_folder_does(published: Published, tmp_path: Path) -> None:
    chart = published.source().chart
    text = (
        (SHOP / "component.yaml")
        .read_text()
        .replace(
            "  path: chart\n",
            f"  repository: {chart.repository}\n  name: shop\n  version: 0.3.0\n  digest: {chart.digest}\n",
        )
    )
    remote = with_shop(changed(tmp_path / "catalog", {"component.yaml": text}))
    here = plan_new(stack(SPEC % ""), with_shop(), charts())
    there = plan_new(stack(SPEC % ""), remote, published.charts())
    jobs = {job.ref for unit in there.plan.units for job in unit.jobs() if "/hook/" in job.key}
    assert jobs != {job.ref for unit in here.plan.units for job in unit.jobs() if "/hook/" in job.key}, "of its digest"
    assert [o.desired_hash for u in there.plan.units for o in u.objects()] == [
        o.desired_hash for u in here.plan.units for o in u.objects()
    ]
    (kept,) = (tmp_path / "cache").glob("*")
    assert kept.name == f"{published.digest.removeprefix('sha256:')}.tgz"


def test_what_was_fetched_is_used_when_the_repository_is_gone(published: Published) -> None:
    count = published.render(published.source())
    with patch.object(Helm, "pull", side_effect=AssertionError("nothing is fetched twice")):
        assert published.render(published.source(), published.charts()) == count


def test_another_chart_under_the_same_version_is_refused(published: Published) -> None:
    wrong = "sha256:" + 64 * "0"
    message = published.refuse(published.source(wrong))
    assert f"has the digest {published.digest}, and chart.digest is {wrong}" in message
    assert "look at what changed before you write the new digest" in message


def test_a_cache_that_was_tampered_with_is_not_believed(published: Published) -> None:
    count = published.render(published.source())
    (kept,) = (published.folder / "cache").glob("*.tgz")
    kept.write_bytes(packed({"shop/Chart.yaml": b"name: evil\nversion: 0.3.0\n"}))
    assert published.render(published.source(), published.charts()) == count
    assert digest_of(kept) == published.digest


def test_an_authority_that_is_not_trusted(published: Published) -> None:
    message = published.refuse(published.source(), published.charts(trusted=False))
    assert "can't be fetched" in message
    assert "certificate signed by unknown authority" in message


def test_a_version_that_is_not_there(published: Published) -> None:
    message = published.refuse(published.source(version="9.9.9"))
    assert "shop 9.9.9 of" in message
    assert "can't be fetched" in message


def test_a_registry_that_asks_for_a_login(by_oci: Published) -> None:
    message = by_oci.refuse(by_oci.source(), by_oci.charts(known=False))
    assert "can't be fetched" in message
    assert "basic credential not found" in message or "401" in message


def test_a_repository_that_never_answers_is_left_in_time(by_https: Published) -> None:
    slow, started = by_https.source(repository=f"{by_https.where.address}/slow"), time.monotonic()
    with patch.object(helm_module, "FETCH", Limits(seconds=2)):
        message = by_https.refuse(slow)
    assert time.monotonic() - started < 10
    assert "can't be fetched: it took longer than 2 s" in message


def test_a_repository_that_nobody_is(by_https: Published) -> None:
    with pytest.raises(ToolError, match=r"can't be fetched: .*connection refused"):
        by_https.render(by_https.source(repository="https://127.0.0.1:1"))


HOSTILE = {
    "parent": (packed({"shop/Chart.yaml": b"name: shop\nversion: 0.3.0\n", "shop/../../x": b"x"}), "leads out of it"),
    "zeros": (packed({"shop/Chart.yaml": b"x", "shop/x": bytes(40 * 1024 * 1024)}), "has more than"),
    "page": (b"<html>a login page</html>" * 9, "can't be unpacked"),
}


@pytest.mark.parametrize(("content", "says"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused_whatever_its_digest(by_https: Published, content: bytes, says: str) -> None:
    archive = by_https.folder / "files" / "shop-0.3.0.tgz"
    archive.write_bytes(content)
    with pytest.raises(CatalogError, match=says):
        by_https.render(by_https.source(digest_of(archive)))
    assert list((by_https.folder / "cache").glob("*.tgz")) == []


def test_an_archive_of_two_gigabytes_is_refused_in_bounded_memory(by_https: Published) -> None:
    archive = by_https.folder / "files" / "shop-0.3.0.tgz"
    with archive.open("wb") as sparse:
        sparse.truncate(2 * 1024**3)
    started = time.monotonic()
    message = by_https.refuse(by_https.source("sha256:" + 64 * "0"))
    assert "MiB" in message
    assert time.monotonic() - started < 60


def test_a_component_is_begun_of_a_chart_in_a_repository(published: Published) -> None:
    trusting = Helm(str(helm()), str(published.where.trust), str(published.where.logins or ""))
    draft = of_chart((), f"{published.where.address}/shop:0.3.0", helm=trusting)
    assert draft.chart is not None
    assert draft.chart["place"] == {
        "repository": published.where.address,
        "name": "shop",
        "version": "0.3.0",
        "digest": published.digest,
    }
    assert draft.chart["secrets"] == ["release-tls"]
    assert draft.copied == {}, "it stays where it is"
    with pytest.raises(ToolError):
        of_chart((), f"{published.where.address}/shop:9.9.9", helm=trusting)
