"""``aistack images``, as far as it goes without a program that builds."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from aistack.cli.app import run
from aistack.cli.exits import ExitCode


@pytest.mark.parametrize(
    ("registry", "problem"),
    [
        pytest.param("https://x/y", "'https://x/y' is no registry; write host[:port][/path]", id="scheme"),
        pytest.param("x y", "'x y' is no registry", id="space"),
        pytest.param("", "'' has 0 characters", id="empty"),
    ],
)
def test_a_registry_is_held_to_the_rule_of_its_field(
    registry: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["images", "push", "--registry", registry]) == ExitCode.ERROR
    assert f"error: spec.images.registry: {problem}" in capsys.readouterr().err


def test_what_is_missing_is_said_before_another_build_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "aistack" / "images").mkdir(parents=True)
    with (tmp_path / "aistack" / "images" / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert (
            run(["images", "push", "--registry", "registry.example.com/y", "--platform", "linux/amd64"])
            == ExitCode.ERROR
        )
    assert "not built yet: " in capsys.readouterr().err
