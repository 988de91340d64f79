"""The runtime for hosts that withhold CAP_SYS_RESOURCE."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cluster.docker import runtime

FAKE_RUNC = '#!/bin/sh\necho "$@"\n'


@pytest.fixture
def wrapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    runc = tmp_path / "runc"
    runc.write_text(FAKE_RUNC)
    runc.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return runtime.write_wrapper(tmp_path / "wrapper")


def process() -> dict[str, object]:
    return {"capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"]}, "oomScoreAdj": -500}


STRIPPED = {"capabilities": {"bounding": ["CAP_CHOWN"]}, "oomScoreAdj": 0}


@pytest.mark.parametrize("option", [["--bundle", "{0}"], ["--bundle={0}"], ["-b", "{0}"]])
def test_a_new_container_does_not_ask_for_what_is_withheld(wrapper: Path, tmp_path: Path, option: list[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"process": process(), "root": {"path": "rootfs"}}))
    words = ["create", *(word.format(tmp_path) for word in option), "name"]
    said = subprocess.run([wrapper, *words], capture_output=True, text=True, check=True).stdout
    assert json.loads(config.read_text()) == {"process": STRIPPED, "root": {"path": "rootfs"}}
    assert said.split() == words


def test_a_process_in_a_container_does_not_either(wrapper: Path, tmp_path: Path) -> None:
    description = tmp_path / "process.json"
    description.write_text(json.dumps(process()))
    subprocess.run([wrapper, "exec", "--process", description, "name"], capture_output=True, check=True)
    assert json.loads(description.read_text()) == STRIPPED


def test_other_calls_pass_through(wrapper: Path) -> None:
    said = subprocess.run([wrapper, "state", "name"], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["state", "name"]


@pytest.mark.parametrize(
    ("status", "needed"),
    [
        pytest.param("CapEff:\t000001fffeffffff\nCapBnd:\t000001fffeffffff\n", True, id="withheld"),
        pytest.param("CapBnd:\t000001ffffffffff\n", False, id="granted"),
        pytest.param("Name:\tsh\n", False, id="unknown"),
    ],
)
def test_the_wrapper_is_for_hosts_that_withhold_it(status: str, needed: bool) -> None:
    assert runtime.needs_wrapper(status) is needed
