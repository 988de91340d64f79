"""The artefact store: whole or absent, built once, named by contents."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.cluster.common import store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "aistack"


def write(target: Path) -> None:
    (target / "file").write_text("whole")


def test_an_artefact_is_built_once(cache: Path) -> None:
    calls: list[Path] = []

    def build(target: Path) -> None:
        calls.append(target)
        write(target)

    first = store.ensure("things", "k", build)
    assert store.ensure("things", "k", build) == first == cache / "things" / "k"
    assert len(calls) == 1
    assert (first / "file").read_text() == "whole"


def test_a_failed_build_leaves_nothing_and_is_tried_again(cache: Path) -> None:
    def broken(target: Path) -> None:
        write(target)
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError, match="no space"):
        store.ensure("things", "k", broken)
    assert list((cache / "things").iterdir()) == []
    assert (store.ensure("things", "k", write) / "file").exists()


@pytest.mark.parametrize("left", [".k.12345", ".older.12345", ".older.trash"])
def test_what_a_killed_command_left_is_cleared_away(cache: Path, left: str) -> None:
    (cache / "things" / left).mkdir(parents=True)
    store.ensure("things", "k", write)
    assert not (cache / "things" / left).exists()


def test_what_another_command_is_building_is_left_alone(cache: Path) -> None:
    other = cache / "things" / ".other.12345"
    other.mkdir(parents=True)
    with store.lock("things-other"):
        store.ensure("things", "k", write)
    assert other.exists()


def test_who_waits_for_a_lock_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    def wait() -> None:
        with store.lock("one", busy="waiting for another run"):
            pass

    with store.lock("one"):
        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.2)
        assert "waiting for another run" in capsys.readouterr().err
    waiter.join()


def test_the_second_of_two_builders_waits_for_the_first(cache: Path) -> None:
    calls: list[float] = []

    def slow(target: Path) -> None:
        calls.append(time.monotonic())
        time.sleep(0.2)
        write(target)

    threads = [threading.Thread(target=store.ensure, args=("things", "k", slow)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("a", "b"), ("ab", ""), id="where one part ends matters"),
        pytest.param(("a", "b"), ("b", "a"), id="the order matters"),
        pytest.param(("a",), (b"b",), id="the contents matter"),
    ],
)
def test_different_inputs_have_different_keys(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert store.key_of(*one) != store.key_of(*other)


def test_a_file_counts_by_its_contents(tmp_path: Path) -> None:
    file = tmp_path / "go.sum"
    file.write_text("pins")
    assert store.key_of(file) == store.key_of("pins") == store.key_of(b"pins")


def test_a_build_removes_what_was_not_used_for_longest(cache: Path) -> None:
    for age, key in ((300, "old"), (200, "used"), (100, "young")):
        built = store.ensure("things", key, write, keep=9)
        os.utime(built, (time.time() - age, time.time() - age))
    store.ensure("things", "used", write)
    store.ensure("things", "new", write, keep=3)
    assert {path.name for path in (cache / "things").iterdir()} == {"used", "young", "new"}
