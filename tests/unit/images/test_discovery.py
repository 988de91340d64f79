from pathlib import Path

import pytest

from aistack.errors import CatalogError
from aistack.images import discover
from tests.unit.images.folders import add_base, add_component


def test_bases_and_components_are_found_by_folder(tmp_path: Path) -> None:
    add_base(tmp_path, "python", "FROM debian:13\n", runs=False)
    add_component(tmp_path, "mlflow", "FROM python:1\n")
    python, mlflow = sorted(discover(tmp_path), key=lambda image: image.runs)
    assert (python.name, python.runs, python.context) == ("python", False, tmp_path / "images" / "python")
    assert (mlflow.name, mlflow.reference) == ("mlflow/server", "registry.aistack.dev/mlflow:2.0-1")


def test_an_image_that_is_only_used_is_not_built(tmp_path: Path) -> None:
    add_component(tmp_path, "mlflow", "FROM a:1\n", containerfile="")
    assert discover(tmp_path) == []


def test_the_catalog_has_the_images_of_starter() -> None:
    root = Path(__file__).parents[3] / "manifests"
    images = {image.name: image for image in discover(root)}
    running = {name for name, image in images.items() if image.runs}
    assert {"runner", "postgres/server", "seaweedfs/server", "mlflow/server", "jupyterhub/hub"} <= running
    assert not images["python"].runs


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            {"containerfile": "image/Absent"}, "mlflow/image/Absent: .* does not exist", id="no containerfile"
        ),
        pytest.param({"tag": "latest"}, "mlflow/server is tagged latest", id="latest"),
        pytest.param({"repositry": "x"}, "component.yaml:.*images.server.repositry", id="unknown field"),
    ],
)
def test_a_wrong_image_is_refused_with_its_place(tmp_path: Path, fields: dict[str, str], message: str) -> None:
    add_component(tmp_path, "mlflow", "FROM a:1\n", **fields)
    with pytest.raises(CatalogError, match=message):
        discover(tmp_path)


def test_two_images_with_one_reference_are_refused(tmp_path: Path) -> None:
    add_component(tmp_path, "one", "FROM a:1\n", repository="same")
    add_component(tmp_path, "two", "FROM a:1\n", repository="same")
    with pytest.raises(CatalogError, match=r"same:2\.0-1 is the reference of one/server too"):
        discover(tmp_path)


def test_images_of_somebodys_folder_stand_on_the_catalogs(tmp_path: Path) -> None:
    root, author = tmp_path / "catalog", tmp_path / "author"
    add_base(root, "python", "FROM debian:13\n", runs=False)
    folder = add_component(author, "tool", "FROM registry.aistack.dev/python:1.0-1\n").parent
    for named in (folder, author):
        images = {image.name: image for image in discover(root, [named])}
        assert images.keys() == {"python", "tool/server"}
        assert images["tool/server"].containerfile == folder / "image" / "Containerfile"
    add_component(tmp_path / "other", "mine", "FROM a:1\n", repository="python", tag="1.0-1")
    with pytest.raises(CatalogError, match=r"python:1\.0-1 is the reference of mine/server too"):
        discover(root, [tmp_path / "other"])
