"""Artifacts of pieces: packed, checked in a process with bounds, loaded; each refusal says what to do."""

from __future__ import annotations

import asyncio
import gc
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from aistack.catalog.pieces import merge
from aistack.errors import ArtifactError, NotReadyError
from aistack.objects.artifact import FOLDER, PIECE, parse_reference
from aistack.objects.manifest import ObjectKind
from aistack.pieces import checking
from aistack.pieces.artifact import open_piece, to_artifact
from aistack.pieces.loading import Wanted
from aistack.rendering import plan_new
from aistack.sources.archive import pack
from aistack.sources.helm import PROGRAM
from tests.chart.helm import helm
from tests.charts import SHOP, charts
from tests.hello import write_hello
from tests.toy import stack, toy

KINDS = ("Service", "apps/Deployment")


def wanted(**changes: Any) -> Wanted:
    given = {"name": "mine", "reference": parse_reference(f"r.test/hello@sha256:{'0' * 64}"), "makes": KINDS}
    return Wanted(**{**given, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_hello(tmp_path / "piece", "sql")


def test_a_component_s_folder_and_a_catalog_s_make_the_same_artifact(folder: Path) -> None:
    one, other = to_artifact(folder / "components" / "hello"), to_artifact(folder)

    assert (one.type, [layer.media_type for layer in one.layers]) == (PIECE, [FOLDER])
    assert one.layers == other.layers
    assert to_artifact(folder) == other


def test_a_folder_that_is_no_piece_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"has no component\.yaml and no contract\.yaml; name the folder of"):
        to_artifact(tmp_path)


async def test_a_piece_that_is_in_order_is_loaded_with_what_it_makes(folder: Path) -> None:
    piece, found = await open_piece(wanted(), pack(folder), toy(), [])

    assert piece.parts == {"components/hello"}
    assert piece.components["hello"].makes == KINDS
    assert found.problems == ()
    assert ObjectKind("apps/v1", "Deployment") in found.made


async def test_what_passed_before_is_not_checked_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SECONDS", 0)
    piece, _ = await open_piece(wanted(), pack(folder), toy(), [], checked=True)
    assert piece.parts == {"components/hello"}


async def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(ArtifactError) as refused:
        await open_piece(wanted(**changes), pack(folder), toy(), [])
    return str(refused.value)


async def test_a_kind_that_is_not_declared_is_named(folder: Path) -> None:
    told = await refusal(folder, makes=("Service",))
    assert "server.yaml.j2: makes a apps/Deployment, and declared are Service; add it to spec.kinds" in told


async def test_all_that_catalog_check_finds_is_told_by_file_and_line(folder: Path) -> None:
    file = folder / "components" / "hello" / "component.yaml"
    file.write_text(file.read_text().replace("contract: sql", "contract: sequel"))
    (folder / "components" / "hello" / "README.md").unlink()

    told = await refusal(folder)
    assert "components/hello/README.md: is missing" in told
    assert "components/hello/component.yaml:11: requires.0.contract: there is no contract 'sequel'" in told


async def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    folder = write_hello(tmp_path / "piece", "sql", **{"name: hello": "name: web"})
    (folder / "components" / "hello").rename(folder / "components" / "web")
    assert "components/web is in the catalog already; write spec.replaces" in await refusal(folder)


@pytest.mark.parametrize("name", ["profiles", "images", "setup.py"])
async def test_what_only_a_release_brings_is_refused(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "x.yaml").write_text("{}")
    assert f"holds {name!r} beside components/ and contracts/; only a release brings" in await refusal(folder)


async def test_an_empty_piece_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    assert "it holds neither a component nor a contract" in await refusal(tmp_path)


HOSTILE = {
    "a-schema-whose-pattern-takes-for-ever": (
        "values.schema.json",
        '"type": "string", "default": "hello"',
        '"type": "string", "pattern": "^(a+)+$", "default": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"',
        "its checks took more than",
    ),
    "a-loop-without-end": (
        "templates/server.yaml.j2",
        "spec:\n  selector: {{",
        "spec:\n{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}\n  selector: {{",
        "server.yaml.j2",
    ),
    "a-text-without-end": (
        "templates/server.yaml.j2",
        "value: {{ values.greeting }}",
        'value: {{ "x" * 999999999 }}',
        "server.yaml.j2",
    ),
    "yaml-that-grows": (
        "component.yaml",
        "title: Hello",
        "title: &a [x,x,x,x,x,x,x,x,x,x]\nabout: [*a,*a,*a,*a,*a,*a,*a,*a,*a]",
        "component.yaml",
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "told"), HOSTILE.values(), ids=HOSTILE)
async def test_what_would_take_all_time_or_memory_is_refused_in_time(
    folder: Path, file: str, old: str, new: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "CPU_SECONDS", 8)
    path = folder / "components" / "hello" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

    started = time.monotonic()
    assert told in await refusal(folder)
    assert time.monotonic() - started < 20


async def test_for_want_of_cpu_it_is_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SECONDS", 0.1)
    with pytest.raises(NotReadyError, match="didn't end within 0 s, for want of CPU; they are tried again"):
        await open_piece(wanted(), pack(folder), toy(), [])


async def test_python_that_the_parser_gives_up_on_is_told(folder: Path) -> None:
    contract = folder / "contracts" / "seam"
    contract.mkdir(parents=True)
    (contract / "contract.yaml").write_text("{name: seam, title: Seam, about: None, keys: {}}")
    (contract / "claim.py").write_text("(" * 5000)
    (contract / "prove.py").write_text("x = 1\x00")

    told = await refusal(folder)
    assert "contracts/seam/claim.py" in told
    assert "contracts/seam/prove.py" in told
    assert told.count("is no valid Python") == 2


async def test_a_chart_comes_along_and_its_folder_lives_as_long_as_the_component(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROGRAM, str(helm()))
    folder = Path(shutil.copytree(SHOP, tmp_path / "components" / "shop")).parents[1]
    piece, found = await open_piece(wanted(makes=None), pack(folder), toy(), [])
    assert found.problems == ()
    source = piece.components["shop"].chart
    assert source is not None
    assert source.folder is not None
    place = source.folder

    catalog = merge(toy(), [piece]).catalog
    planned = plan_new(stack("{components: [{name: db}, {name: shop}]}"), catalog, charts())
    assert any(unit.name == "shop" and unit.run for unit in planned.plan.units)
    assert place.is_dir()
    del piece, catalog, planned
    await asyncio.sleep(0)  # the loop holds what it awaited last
    gc.collect()
    assert not place.exists()
