"""What is begun passes the checks as it is, is a conforming set of objects, and never overwrites anything."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
import yaml

from aistack.authoring.begin import Begun, Wish, begin, of_image, of_own
from aistack.authoring.checks import Author
from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from aistack.errors import AIStackError, InvalidError
from aistack.images import discover, sources_of
from tests.golden import shipped

IMAGE = "ghcr.io/acme/tool:v1.2.3"
CONTRACTS = ("metrics", "mlflow", "notebooks", "postgres", "redis", "s3", "vector")


def begun(parent: Path, wish: Wish, image: str = IMAGE) -> Begun:
    draft = of_image(wish, shipped(), image) if image else of_own(wish, shipped())
    return begin(wish, draft, shipped(), catalog_folder(), parent)


def rendered(found: Begun) -> dict[str, dict[str, object]]:
    documents = yaml.safe_load_all((found.folder / "tests/default/expected.yaml").read_text())
    return {document["kind"]: document for document in documents if "kind" in document}


def test_these_are_all_contracts() -> None:
    assert set(CONTRACTS) == set(shipped().contracts)


REQUIRED = [(), *((name,) for name in CONTRACTS), ("postgres", "s3"), ("postgres", "vector"), CONTRACTS]


@pytest.mark.parametrize("image", [IMAGE, ""], ids=["image", "own"])
@pytest.mark.parametrize("requires", REQUIRED, ids=lambda names: "+".join(names) or "nothing")
def test_what_needs_contracts_passes_as_it_is(tmp_path: Path, image: str, requires: tuple[str, ...]) -> None:
    found = begun(tmp_path, Wish("my-tool", requires=requires), image)
    assert [str(problem) for problem in found.problems] == []
    assert (found.folder / "tests/default/expected.yaml").is_file()
    component = yaml.safe_load((found.folder / "component.yaml").read_text())
    assert [require["contract"] for require in component.get("requires", [])] == list(requires)


@pytest.mark.parametrize(
    "provides",
    [*combinations(CONTRACTS, 1), ("mlflow", "metrics"), ("s3", "redis", "postgres")],
    ids="+".join,
)
def test_what_serves_contracts_passes_as_it_is(tmp_path: Path, provides: tuple[str, ...]) -> None:
    found = begun(tmp_path, Wish("my-tool", provides=provides))
    assert [str(problem) for problem in found.problems] == []


def test_what_is_rendered_is_a_conforming_set(tmp_path: Path) -> None:
    objects = rendered(begun(tmp_path, Wish("my-tool", requires=("postgres", "s3"))))
    assert {"Deployment", "Service", "NetworkPolicy"} <= objects.keys()
    pod = yaml.safe_load(yaml.safe_dump(objects["Deployment"]))["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["image"] == IMAGE
    assert {"startupProbe", "readinessProbe", "livenessProbe", "resources"} <= container.keys()
    names = {variable["name"] for variable in container["env"]}
    assert {"PGHOST", "PGPASSWORD", "AWS_ENDPOINT_URL_S3", "S3_BUCKET"} <= names


def test_data_is_kept_on_a_volume_only_where_no_contract_keeps_it(tmp_path: Path) -> None:
    assert "PersistentVolumeClaim" in rendered(begun(tmp_path / "a", Wish("my-tool")))
    assert "PersistentVolumeClaim" not in rendered(begun(tmp_path / "b", Wish("my-tool", requires=("s3",))))


def test_its_version_is_that_of_the_image(tmp_path: Path) -> None:
    found = begun(tmp_path, Wish("my-tool"))
    component = yaml.safe_load((found.folder / "component.yaml").read_text())
    assert component["versions"] == ["1.2.3"]
    assert component["images"]["server"] | {"platforms": []} == {
        "registry": "ghcr.io",
        "repository": "acme/tool",
        "tag": "v1.2.3",
        "platforms": [],
    }


def test_an_image_of_its_own_stands_on_the_shared_base(tmp_path: Path) -> None:
    found = begun(tmp_path / "components", Wish("my-tool"), "")
    images = discover(tmp_path)
    bases = sources_of(images)["my-tool/server"].bases
    assert set(bases) == {image.reference for image in discover(catalog_folder()) if image.name.startswith("python")}
    assert found.problems == []


def test_two_of_a_variable_are_told_apart(tmp_path: Path) -> None:
    template = (
        begun(tmp_path, Wish("my-tool", requires=("postgres", "vector"))).folder / "templates/server.yaml.j2"
    ).read_text()
    assert "- name: PGHOST\n" in template
    assert "- name: VECTOR_PGHOST\n" in template


REFUSED = {
    "name-that-is-none": (Wish("My_Tool"), IMAGE, "'My_Tool': a component's name has small letters"),
    "name-of-the-catalog": (Wish("mlflow"), IMAGE, "'mlflow' is a component of the catalog; choose another name"),
    "unknown-contract": (
        Wish("my-tool", requires=("postgre",)),
        IMAGE,
        "there is no contract 'postgre'; did you mean 'postgres'?",
    ),
    "unknown-contract-to-serve": (Wish("my-tool", provides=("sql",)), IMAGE, "there is no contract 'sql'; choose one"),
    "image-without-a-version": (Wish("my-tool"), "ghcr.io/acme/tool:latest", "write a tag that never moves"),
    "image-by-digest-alone": (Wish("my-tool"), f"ghcr.io/acme/tool@sha256:{'0' * 64}", "names no version"),
    "image-that-is-none": (Wish("my-tool"), "tool", "'tool' is no reference of an artifact"),
}


@pytest.mark.parametrize(("wish", "image", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_begun_is_refused_and_nothing_is_written(
    tmp_path: Path, wish: Wish, image: str, says: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        begun(tmp_path, wish, image)
    assert says in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my-tool").mkdir()
    with pytest.raises(InvalidError, match="is there already, and is left as it is; choose another name"):
        begun(tmp_path, Wish("my-tool"))
    assert list((tmp_path / "my-tool").iterdir()) == []


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Author) -> list[Path]:
        raise AIStackError("the disk is full")

    monkeypatch.setattr(Author, "update", fails)
    with pytest.raises(AIStackError, match="the disk is full"):
        begun(tmp_path, Wish("my-tool"))
    assert list(tmp_path.iterdir()) == []


def test_other_catalogs_have_other_contracts(tmp_path: Path) -> None:
    root = catalog_folder()
    wish = Wish("my-tool", requires=("s3",))
    found = begin(wish, of_image(wish, load_catalog(root), IMAGE), load_catalog(root), root, tmp_path)
    assert yaml.safe_load((found.folder / "tests/default/stack.yaml").read_text())["spec"] == {
        "components": [{"name": "seaweedfs"}, {"name": "my-tool"}]
    }
