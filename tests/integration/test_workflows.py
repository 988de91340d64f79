"""GitHub's workflow files, read by actionlint: they can't be run here, but what they say must be sound."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.actionlint import ROOT, actionlint

pytestmark = [pytest.mark.integration, pytest.mark.any_version]

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))


def lint(text: str) -> str:
    done = subprocess.run([actionlint(), "-no-color", "-"], input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_wrong_with_it(workflow: Path) -> None:
    assert lint(workflow.read_text("utf-8")) == ""


def test_a_wrong_one_is_seen() -> None:
    text = next(path for path in WORKFLOWS if path.stem == "release").read_text("utf-8")
    assert 'job "images" which does not exist' in lint(text.replace("\n  images:\n", "\n  pictures:\n"))
