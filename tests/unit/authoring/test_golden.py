"""Golden renders: every case in ``manifests/components/*/tests/`` is planned and compared, twice."""

from __future__ import annotations

import pytest
import yaml

from aistack.catalog.locate import catalog_folder
from tests.golden import Case, cases, shipped

CASES = cases(catalog_folder())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_component_makes_what_is_written_down(case: Case) -> None:
    assert case.expected.is_file(), "run `make generate` and review the new file"
    assert case.render(shipped()) == case.expected.read_text("utf-8"), "run `make generate` and review its diff"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_planned_twice_gives_the_same_bytes(case: Case) -> None:
    assert case.render(shipped()) == case.render(shipped())


def test_every_component_has_a_default_case() -> None:
    with_default = {case.component for case in CASES if case.folder.name == "default"}
    assert with_default == set(shipped().components)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_review_of_the_file_is_a_review_of_the_objects(case: Case) -> None:
    first, *others = yaml.load_all(case.expected.read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert first["unit"] == case.component
    for document in others:
        assert {"apiVersion", "kind", "metadata"} <= document.keys()
        assert document["metadata"]["namespace"]
        if document["kind"] == "Secret":
            assert document["recipes"], "recipes, never values"
            assert not {"data", "stringData"} & document.keys()
