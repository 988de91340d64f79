"""Images that are made of the checkout's sources: found beside it, hashed and built with just these."""

from pathlib import Path

import pytest

from aistack.errors import CatalogError
from aistack.images import Image, discover, sources_of
from aistack.images.context import files_of, gather
from tests.unit.images.folders import add_base

SOURCES = ["pyproject.toml", "code"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a catalog in it; returns the catalog."""
    catalog = tmp_path / "manifests"
    add_base(catalog, "operator", "FROM debian:13\n", context="../../..", sources=SOURCES)
    (tmp_path / "code" / "__pycache__").mkdir(parents=True)
    for file in ("pyproject.toml", "code/a.py", "code/__pycache__/a.pyc", "secret.env"):
        (tmp_path / file).write_text(file)
    return catalog


def image_of(catalog: Path) -> Image:
    (image,) = discover(catalog)
    return image


def digest(catalog: Path) -> str:
    return sources_of([image_of(catalog)])["operator"].digest


def test_it_is_made_of_its_sources_and_its_folder(checkout: Path) -> None:
    image = image_of(checkout)
    found = [file.relative_to(image.context).as_posix() for file in files_of(image)]
    folder = "manifests/images/operator"
    assert found == ["code/a.py", f"{folder}/Containerfile", f"{folder}/image.yaml", "pyproject.toml"]


def test_what_is_built_from_is_what_was_hashed(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "code" / "a.py").chmod(0o640)
    gathered = gather(image_of(checkout), tmp_path / "scratch")
    assert gathered.context == tmp_path / "scratch" / "operator"
    assert gathered.containerfile.read_text() == "FROM debian:13\n"
    assert {f.name for f in gathered.context.rglob("*") if f.is_file()} == {f.name for f in files_of(gathered)}
    assert sources_of([gathered])["operator"].digest == digest(checkout)
    assert (gathered.context / "code" / "a.py").stat().st_mode & 0o777 == 0o644


def test_an_image_that_is_its_folder_is_built_where_it_lies(tmp_path: Path) -> None:
    folder = add_base(tmp_path, "python", "FROM debian:13\n")
    assert gather(image_of(tmp_path), tmp_path / "scratch").context == folder


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        pytest.param("code/a.py", True, id="a source"),
        pytest.param("code/new.py", True, id="a new file among the sources"),
        pytest.param("secret.env", False, id="any other file of the checkout"),
        pytest.param("code/__pycache__/a.pyc", False, id="bytecode"),
    ],
)
def test_its_archive_follows_its_sources(checkout: Path, file: str, counts: bool) -> None:
    before = digest(checkout)
    (checkout.parent / file).write_text("changed")
    assert (digest(checkout) != before) is counts


def test_an_installed_catalog_has_no_such_image(checkout: Path) -> None:
    (checkout.parent / "pyproject.toml").unlink()
    assert discover(checkout) == []


def test_a_source_that_is_not_there_is_refused(checkout: Path) -> None:
    (checkout.parent / "code").rename(checkout.parent / "elsewhere")
    with pytest.raises(CatalogError, match="operator is made of code, which isn't in"):
        discover(checkout)


def test_sources_without_their_folder_are_refused(tmp_path: Path) -> None:
    add_base(tmp_path, "operator", "FROM debian:13\n", sources=SOURCES)
    with pytest.raises(CatalogError, match="context and sources go together"):
        discover(tmp_path)
