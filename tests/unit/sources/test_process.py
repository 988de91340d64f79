"""Programs of others: with nothing of ours, and no more time, memory and output than they may use."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from aistack.errors import ToolError
from aistack.sources.process import ExitError, LimitError, Limits, run_confined

MIB = 1024 * 1024


def python(program: str, limits: Limits | None = None, **more: object) -> str:
    given = {"limits": limits or Limits(seconds=30), **more}
    return run_confined([sys.executable, "-I", "-c", program], **given).decode()  # type: ignore[arg-type]


def test_it_reads_what_is_given_and_what_it_writes_comes_back() -> None:
    assert python("print(input() + '!')", given=b"hello") == "hello!\n"


def test_it_gets_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/our/kubeconfig")
    found = python("import os; print(sorted(os.environ), os.listdir(os.environ['HOME']), os.getcwd())")
    assert "KUBECONFIG" not in found
    assert "['HOME', 'LANG', 'PATH', 'TMPDIR'] []" in found


def test_its_home_is_gone_afterwards() -> None:
    home = python("import os; open(os.environ['HOME'] + '/x', 'w').close(); print(os.environ['HOME'])").strip()
    assert not Path(home).exists()


def test_it_has_no_open_file_of_ours(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        assert python("import os; print(len(os.listdir('/proc/self/fd')))") == "4\n"  # three, and that of the listing


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import time; time.sleep(60)", "it took longer than 2 s"),
        ("while True: pass", "it took longer than 2 s"),
        ("import sys; sys.stdout.write('x' * 3_000_000)", ""),
        ("x = bytearray(500_000_000)", ""),
    ],
    ids=["sleeps", "spins", "writes", "allocates"],
)
def test_a_program_that_has_no_end_is_ended(program: str, says: str) -> None:
    started = time.monotonic()
    with pytest.raises(ToolError, match=says or None):
        python(program, Limits(seconds=2, memory=256 * MIB, output=MIB))
    assert time.monotonic() - started < 10


def test_what_a_failed_program_said_is_told() -> None:
    with pytest.raises(ExitError, match="no such thing") as refused:
        python("import sys; sys.exit('no such thing')")
    assert not isinstance(refused.value, LimitError)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ToolError, match="/nowhere/helm can't be run: No such file"):
        run_confined(["/nowhere/helm"], Limits(seconds=1))
