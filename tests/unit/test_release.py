"""What a release is checked for before anything is published."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.release import ROOT, notes, problems

READ = (
    "pyproject.toml",
    "CHANGELOG.md",
    "charts/aistack-operator/Chart.yaml",
    "manifests/images/operator/image.yaml",
)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """This checkout as it would be released: with its changelog's section named."""
    for name in READ:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    change(tmp_path, "CHANGELOG.md", r"^## Unreleased$", f"## {VERSION} - 2026-12-01")
    return tmp_path


def change(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text("utf-8")
    changed, count = re.subn(old, new, text, count=1, flags=re.MULTILINE)
    assert count
    (root / name).write_text(changed, "utf-8")


def test_this_checkout_needs_nothing_but_the_changelog_s_heading(checkout: Path) -> None:
    assert list(problems(f"v{VERSION}", checkout)) == []
    assert [problem.partition(":")[0] for problem in problems(f"v{VERSION}")] == ["CHANGELOG.md"]


WRONG = {
    "package": ("pyproject.toml", r'^version = ".*"', 'version = "9.9.9"', "pyproject.toml: version is 9.9.9"),
    "chart": (READ[2], r"^version: .*", "version: 9.9.9", "Chart.yaml: version is 9.9.9"),
    "chart's image": (READ[2], r"^appVersion: .*", "appVersion: 9.9.9-1", "Chart.yaml: appVersion is 9.9.9-1; write"),
    "changelog": ("CHANGELOG.md", r"^## \d.*", "## Unreleased", "CHANGELOG.md: has no section"),
}


@pytest.mark.parametrize(("name", "old", "new", "says"), WRONG.values(), ids=WRONG)
def test_what_disagrees_is_named(checkout: Path, name: str, old: str, new: str, says: str) -> None:
    change(checkout, name, old, new)
    assert any(says in problem for problem in problems(f"v{VERSION}", checkout))


def test_a_tag_begins_with_v(checkout: Path) -> None:
    assert list(problems(VERSION, checkout)) == [f"{VERSION}: a tag begins with v, e.g. v{VERSION}"]


def test_notes_are_one_section(checkout: Path) -> None:
    change(checkout, "CHANGELOG.md", r"\Z", "\n## 0.0.1 - 2026-01-01\n\n- the very first\n")
    assert notes(VERSION, checkout).startswith("### Added")
    assert "very first" not in notes(VERSION, checkout)
    assert notes("0.0.1", checkout) == "- the very first"
    assert notes("0.0", checkout) == ""
