"""Reading charts: whatever an archive holds, only plain files inside the chart are read, and not too much of them."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

import pytest

from aistack.sources import chartfiles
from aistack.sources.chartfiles import ChartError, read_archive, read_folder
from tests.charts import SHOP, packed

CHART = {"web/Chart.yaml": b"name: web\nversion: 0.1.0\n"}


def read(folder: Path, content: bytes) -> dict[str, bytes]:
    archive = folder / "chart.tgz"
    archive.write_bytes(content)
    return dict(read_archive(archive))


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


def test_a_folder_is_read_with_its_subcharts() -> None:
    files = read_folder(SHOP / "chart")
    assert {"Chart.yaml", "templates/server.yaml", "charts/lib/templates/config.yaml"} <= files.keys()


def test_an_archive_is_read_as_its_folder_would_be(tmp_path: Path) -> None:
    files = read_folder(SHOP / "chart")
    assert read(tmp_path, packed({f"shop/{path}": text for path, text in files.items()})) == files


def test_a_packed_subchart_is_read_too(tmp_path: Path) -> None:
    inner = packed({"lib/Chart.yaml": b"name: lib", "lib/templates/x.yaml": b"{{ lookup }}"})
    files = read(tmp_path, packed({**CHART, "web/charts/lib-1.0.tgz": inner}))
    assert files["charts/lib-1.0/templates/x.yaml"] == b"{{ lookup }}"
    assert "charts/lib-1.0.tgz" not in files


HOSTILE = {
    "parent": (packed({**CHART, "web/../../etc/cron.d/x": b"x"}), r"'web/../../etc/cron.d/x', which leads out of it"),
    "absolute": (packed({**CHART, "/etc/passwd": b"x"}), "'/etc/passwd', which leads out of it"),
    "backslash": (packed({**CHART, "web\\..\\x": b"x"}), "leads out of it"),
    "symlink": (packed(CHART, (member("web/x", tarfile.SYMTYPE, "/etc"),)), "web/x is no plain file"),
    "hard-link": (packed(CHART, (member("web/x", tarfile.LNKTYPE, "/etc/shadow"),)), "web/x is no plain file"),
    "device": (packed(CHART, (member("web/x", tarfile.CHRTYPE),)), "web/x is no plain file"),
    "pipe": (packed(CHART, (member("web/x", tarfile.FIFOTYPE),)), "web/x is no plain file"),
    "no-chart": (packed({"web/values.yaml": b""}), "has no Chart.yaml: it is no chart"),
    "no-archive": (b"<html>not found</html>", "can't be unpacked"),
    "cut-off": (packed({**CHART, "web/a": os.urandom(50_000)})[:20_000], "can't be unpacked"),
    "zeros": (packed({**CHART, "web/a": bytes(40 * 1024 * 1024)}), "has more than 5000 files or 32 MiB"),
    "many": (packed({**CHART, **{f"web/{n}": b"" for n in range(6000)}}), "has more than 5000 files"),
}


@pytest.mark.parametrize(("content", "says"), HOSTILE.values(), ids=HOSTILE)
def test_an_archive_that_is_none_or_a_trap_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(ChartError) as refused:
        read(tmp_path, content)
    assert says in str(refused.value)


def test_a_header_that_claims_a_gigabyte_is_not_believed(tmp_path: Path) -> None:
    header = tarfile.TarInfo("web/x")
    header.size, header.type = 2**30, tarfile.XHDTYPE
    archive = gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(50 * 1024 * 1024))
    assert len(archive) < 100_000
    with pytest.raises(ChartError, match="has more than"):
        read(tmp_path, archive)


def test_a_packed_subchart_is_held_to_the_same(tmp_path: Path) -> None:
    for content, says in HOSTILE.values():
        if "Chart.yaml" not in says:
            with pytest.raises(ChartError, match=r"charts/a\.tgz|has more than"):
                read(tmp_path, packed({**CHART, "web/charts/a.tgz": content}))


def test_subcharts_inside_each_other_have_an_end(tmp_path: Path) -> None:
    content = packed(CHART)
    for _ in range(6):
        content = packed({**CHART, "web/charts/web.tgz": content})
    with pytest.raises(ChartError, match="is packed deeper than 4 times"):
        read(tmp_path, content)


def test_a_large_archive_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chartfiles, "MAX_ARCHIVE", 100)
    with pytest.raises(ChartError, match="is larger than"):
        read(tmp_path, os.urandom(101))


def test_a_folder_with_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: web")
    (tmp_path / "values.yaml").symlink_to("/etc/passwd")
    with pytest.raises(ChartError, match=r"values\.yaml is no plain file"):
        read_folder(tmp_path)
