"""The command line, run in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.lab import Cli


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Calls are free of the user's own kubeconfig and colours."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    monkeypatch.setenv("NO_COLOR", "1")
    return Cli(tmp_path, capsys)
