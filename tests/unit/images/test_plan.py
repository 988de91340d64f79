from collections.abc import Callable
from pathlib import Path

import pytest

from aistack.errors import CatalogError, SpecError
from aistack.images import discover, make_plan, sources_of
from tests.unit.images.folders import PLATFORM, add_base, add_component, plan_of

PYTHON = "registry.aistack.dev/python:1.0-1"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    add_base(tmp_path, "python", "FROM debian:13\n", runs=False)
    add_base(tmp_path, "runner", f"ARG BASE={PYTHON}\nFROM $BASE\n")
    add_component(tmp_path, "mlflow", f"FROM {PYTHON}\nCOPY . /\n")
    add_component(tmp_path, "postgres", "FROM debian:13\n")
    return tmp_path


def inputs(root: Path) -> dict[str, str]:
    return {step.image.name: step.inputs for step in plan_of(root).steps}


def test_bases_come_first(catalog: Path) -> None:
    plan = plan_of(catalog)
    names = [step.image.name for step in plan.steps]
    assert names.index("python") < min(names.index("runner"), names.index("mlflow/server"))
    assert plan.step("runner").parents == ("python",)
    assert plan.step("runner").external == ()
    assert plan.step("postgres/server").external == ("debian:13",)


def test_an_archive_is_named_after_its_image_and_inputs(catalog: Path) -> None:
    step = plan_of(catalog).step("mlflow/server")
    assert step.archive == catalog / "cache" / f"mlflow-2.0-1-{step.inputs}.tar"


def edit(file: str) -> Callable[[Path], object]:
    return lambda root: (root / file).write_text("FROM debian:13\nRUN true\n")


def executable(root: Path) -> None:
    (root / "images/python/Containerfile").chmod(0o755)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        pytest.param(edit("images/python/Containerfile"), {"python", "runner", "mlflow/server"}, id="a base"),
        pytest.param(executable, {"python", "runner", "mlflow/server"}, id="an execution bit"),
        pytest.param(edit("components/mlflow/image/extra"), {"mlflow/server"}, id="a new file in a context"),
        pytest.param(edit("components/mlflow/README.md"), set(), id="a file outside of every context"),
    ],
)
def test_inputs_follow_what_an_image_is_made_of(
    catalog: Path, change: Callable[[Path], object], changed: set[str]
) -> None:
    before = inputs(catalog)
    change(catalog)
    after = inputs(catalog)
    assert {name for name in before if before[name] != after[name]} == changed


def test_dates_do_not_count(catalog: Path) -> None:
    before = inputs(catalog)
    (catalog / "images/python/Containerfile").touch()
    assert inputs(catalog) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param([], {"python", "runner", "mlflow/server", "postgres/server"}, id="no word means all"),
        pytest.param(["mlflow"], {"python", "mlflow/server"}, id="a component, with its base"),
        pytest.param(["postgres/server"], {"postgres/server"}, id="a name"),
        pytest.param(["runner", "postgres"], {"python", "runner", "postgres/server"}, id="two words"),
    ],
)
def test_a_plan_narrows_to_what_is_named(catalog: Path, words: list[str], expected: set[str]) -> None:
    assert {step.image.name for step in plan_of(catalog).only(words).steps} == expected


def test_an_unknown_word_is_refused_and_the_known_are_named(catalog: Path) -> None:
    with pytest.raises(SpecError, match=r"'mlfow' is not an image of the catalog.*mlflow/server"):
        plan_of(catalog).only(["mlfow"])


def test_a_circle_is_refused(tmp_path: Path) -> None:
    add_base(tmp_path, "a", "FROM registry.aistack.dev/b:1.0-1\n")
    add_base(tmp_path, "b", "FROM registry.aistack.dev/a:1.0-1\n")
    with pytest.raises(CatalogError, match=r"in a circle: (a → b → a|b → a → b)"):
        plan_of(tmp_path)


def test_a_platform_that_an_image_is_not_made_for_is_refused(tmp_path: Path) -> None:
    add_component(tmp_path, "seaweedfs", "FROM debian:13\n", platforms=[PLATFORM])
    images = discover(tmp_path)
    with pytest.raises(CatalogError, match=r"isn't made for linux/s390x; only for linux/amd64"):
        make_plan(images, sources_of(images), cache=tmp_path, platform="linux/s390x")
