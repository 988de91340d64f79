"""An author's folder is checked as the catalog's own are, and told by the author's file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aistack.authoring.checks import Author, check_catalog
from aistack.authoring.golden import HEADER
from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from tests.hello import write_hello
from tests.toy import TOY

STACK = "metadata: {name: demo, namespace: ml}\nspec: {components: [{name: db}, {name: hello}]}\n"
STACK = f"apiVersion: aistack.dev/v1alpha1\nkind: AIStack\n{STACK}"


def author(folder: Path) -> Author:
    return Author(folder, load_catalog(TOY))


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A component in good order, with a reviewed render."""
    folder = write_hello(tmp_path, "sql") / "components" / "hello"
    stack = folder / "tests" / "default" / "stack.yaml"
    stack.parent.mkdir(parents=True)
    stack.write_text(STACK)
    assert author(folder).update() == [stack.with_name("expected.yaml")]
    return folder


def told(folder: Path) -> list[str]:
    return [str(problem) for problem in author(folder).check()]


def test_a_component_in_order_has_no_problems_however_its_folder_is_named(
    hello: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hello)
    assert told(hello) == told(hello.parent.parent) == told(Path()) == []


def test_problems_are_told_by_the_path_that_the_author_gave(hello: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (hello / "README.md").unlink()
    monkeypatch.chdir(hello)
    said = "README.md: is missing: write what the component is, its values and how to use it"
    assert told(Path()) == [said]
    assert told(hello) == [f"{hello}/{said}"]
    assert told(hello.parent.parent) == [f"{hello}/{said}"]


SPOILT = {
    "licence": (
        "component.yaml",
        "licence: MIT",
        "licence: Own",
        "component.yaml:5: licence: 'Own' is no expression of SPDX; write e.g. Apache-2.0",
    ),
    "licence-in-other-letters": (
        "component.yaml",
        "licence: MIT",
        "licence: mit",
        "component.yaml:5: licence: 'mit' is written MIT by SPDX",
    ),
    "image-that-moves": ("component.yaml", "tag: 1.0-1", "tag: stable", "component.yaml:9: images.server.tag: stable"),
    "render-that-changed": (
        "templates/server.yaml.j2",
        "          env:\n",
        '          args: ["-v"]\n          env:\n',
        "has 'env:', and now it would be 'args:'; run 'aistack component check --update', and review its diff",
    ),
    "stack-without-it": (
        "tests/default/stack.yaml",
        ", {name: hello}",
        "",
        "tests/default/stack.yaml: spec.components: doesn't name hello; write components: [{name: hello}]",
    ),
    "stack-that-is-none": (
        "tests/default/stack.yaml",
        "components: [",
        "component: [",
        "tests/default/stack.yaml: can't be planned: spec.component",
    ),
    "stack-that-is-no-yaml": (
        "tests/default/stack.yaml",
        "spec: {",
        "spec: {{",
        "tests/default/stack.yaml:5: can't be parsed",
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "says"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_is_told_by_file_and_line(hello: Path, file: str, old: str, new: str, says: str) -> None:
    text = (hello / file).read_text()
    assert old in text
    (hello / file).write_text(text.replace(old, new, 1))
    (found,) = told(hello)
    assert found.startswith(f"{hello}/")
    assert says in found


def test_a_component_needs_a_case_and_its_reviewed_render(hello: Path) -> None:
    default = hello / "tests" / "default"
    (default / "expected.yaml").unlink()
    assert told(hello) == [
        f"{default}/expected.yaml: is missing; run 'aistack component check --update', and review what it writes"
    ]
    default.rename(default.with_name("other"))
    assert any(problem.startswith(f"{default}/stack.yaml: is missing: write an AIStack") for problem in told(hello))


def test_an_update_writes_what_changed_and_nothing_else(hello: Path) -> None:
    expected, template = hello / "tests/default/expected.yaml", hello / "templates/server.yaml.j2"
    assert expected.read_text().startswith(HEADER)
    assert author(hello).update() == []
    template.write_text(template.read_text().replace("GREETING", "WELCOME"))
    assert author(hello).update() == [expected]
    assert "WELCOME" in expected.read_text()
    assert told(hello) == []


def test_an_update_leaves_renders_as_they_are_where_the_folder_is_broken(hello: Path) -> None:
    before = (hello / "tests/default/expected.yaml").read_text()
    (hello / "templates/server.yaml.j2").write_text("{{ nosuch }}\n")
    assert author(hello).update() == []
    assert (hello / "tests/default/expected.yaml").read_text() == before
    assert told(hello) != []


def test_what_could_not_be_pushed_is_told(hello: Path, tmp_path: Path) -> None:
    (hello / "files").mkdir()
    (hello / "files" / "shadow").symlink_to("/etc/shadow")
    assert any("link" in problem for problem in told(hello))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert told(empty)[0].startswith(f"{empty}: has no component.yaml and no contract.yaml; name the folder")


def test_a_component_that_takes_the_place_of_the_catalogs_is_checked_in_its_place(tmp_path: Path) -> None:
    folder = write_hello(tmp_path, "", "web") / "components" / "web"
    (problem,) = told(folder)
    assert problem.startswith(f"{folder}/tests/default/stack.yaml: is missing: write an AIStack with the component")


def test_a_catalogs_renders_are_checked_where_nothing_else_is_wrong(tmp_path: Path) -> None:
    root = Path(shutil.copytree(catalog_folder(), tmp_path / "catalog"))
    expected = root / "components/valkey/tests/default/expected.yaml"
    expected.write_text(expected.read_text().replace("unit: valkey", "unit: redis"))
    (found,) = check_catalog(root)
    assert (found.file, found.line) == ("components/valkey/tests/default/expected.yaml", 2)
    (root / "components/redis/README.md").unlink()
    assert [problem.file for problem in check_catalog(root)] == ["components/redis/README.md"]
