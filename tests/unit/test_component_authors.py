"""docs/component-authors.md: what it says of a terminal is what is said, and the example is what it shows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.authors import EXAMPLE, PAGE, RECORDING, Step, authors_page, record, say, steps
from tests.chart.helm import use as use_helm


def test_the_page_shows_the_example_as_it_is() -> None:
    assert authors_page()[1] == PAGE.read_text("utf-8"), "run `make generate`"


def test_each_command_that_needs_no_cluster_says_what_the_page_shows(tmp_path: Path) -> None:
    use_helm()
    shown, said = [], []
    for step in steps("here"):
        shown.append((step.command, step.said))
        said.append((step.command, say(step, tmp_path, os.environ)))
        if " new " in step.command:  # what the reader writes now
            ours = shutil.ignore_patterns("expected.yaml")
            shutil.copytree(EXAMPLE, tmp_path / EXAMPLE.name, dirs_exist_ok=True, ignore=ours)
    if RECORDING:
        record([Step(*pair) for pair in said], "here")
    assert said == shown or RECORDING
    for file in (file for file in EXAMPLE.rglob("*") if file.is_file()):
        assert file.read_bytes() == (tmp_path / EXAMPLE.name / file.relative_to(EXAMPLE)).read_bytes(), file.name
