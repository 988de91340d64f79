"""Templates and plans of a catalog are checked without a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from aistack.api.names import MAX_NAME, MAX_STACK_NAME
from aistack.catalog.loader import load_catalog
from aistack.planning.check import check_plans
from aistack.rendering import plan_new
from tests.toy import starter, toy_copy

TEMPLATE = "components/web/templates"


def problems(root: Path) -> list[str]:
    return [str(error) for error in check_plans(load_catalog(root), plan_new)]


def test_the_real_catalog_plans_in_every_size() -> None:
    assert [str(error) for error in check_plans(starter(), plan_new)] == []


def test_components_that_need_each_other_are_told_once_each(tmp_path: Path) -> None:
    found = problems(toy_copy(tmp_path))
    assert len(found) == 2
    assert all("these components need each other" in problem for problem in found)


def test_a_template_that_breaks_the_language_is_told_by_line(tmp_path: Path) -> None:
    root = toy_copy(tmp_path)
    file = next((root / TEMPLATE).iterdir())
    file.write_text('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "x-{{ component }}"\n')
    assert any(problem.startswith(f"{TEMPLATE}/{file.name}:4: ") for problem in problems(root))


def test_a_name_must_fit_the_longest_name_of_a_stack(tmp_path: Path) -> None:
    root = toy_copy(tmp_path)
    part = "n" * (MAX_NAME - MAX_STACK_NAME - len("-web-"))
    file = root / TEMPLATE / "z.yaml.j2"
    for name, fits in ((part, True), (f"{part}n", False)):
        file.write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ name('{name}') }}}}\n")
        assert any("shorten the stack's name by 1 characters" in problem for problem in problems(root)) is not fits


ENV = "          env:\n"
SPOILT = {
    "what-is-bound-only-sometimes": (
        ENV,
        ENV + '            - name: X\n              valueFrom: {{ binding("cache").env("host") }}\n',
        "has no binding 'cache', only: sql, blob",
    ),
    "what-goes-wrong-once-it-is-bound": (
        'binding("cache").env("host")',
        'binding("cash").env("host")',
        "has no binding 'cash', only: sql, blob, cache",
    ),
    "question-about-no-requirement": (
        'bound("cache")',
        'bound("cash")',
        "has no requirement 'cash', only: sql, blob, cache",
    ),
}


@pytest.mark.parametrize(("old", "new", "says"), SPOILT.values(), ids=SPOILT)
def test_a_component_is_planned_with_and_without_what_is_optional(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    root = toy_copy(tmp_path)
    file = root / TEMPLATE / "server.yaml.j2"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    assert any(says in problem for problem in problems(root))


def test_a_template_that_renders_to_nonsense_is_told(tmp_path: Path) -> None:
    root = toy_copy(tmp_path)
    file = next((root / TEMPLATE).iterdir())
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ nosuch }}\n")
    assert any("not defined" in problem and file.name in problem for problem in problems(root))
