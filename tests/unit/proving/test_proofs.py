"""Proofs inside Jobs: steps, refusals, a process for each edge, and a report that the kubelet keeps."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aistack.objects.proof import parse_report
from aistack.proving import proofs
from aistack.proving.proofs import fit, prove_all, prove_one

SECRET = "correct-horse-battery"
START = "import sys; from pathlib import Path; sys.path[:0] = ['.', {operator!r}]; "
START += "from aistack.proving.proofs import prove_one; sys.exit(prove_one(sys.argv[1], Path('.'), 0))"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a share, as in the pod."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "password").write_text(SECRET, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [n for n in sys.modules if n == "contracts" or n.startswith("contracts.")]:
        del sys.modules[name]


def write(work: Path, body: str, contract: str = "toy") -> None:
    """Write a proof whose function has this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    folder = work / "contracts" / contract
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prove.py").write_text(f"def prove(share, step):\n{lines}\n", "utf-8")
    importlib.invalidate_caches()


def run(work: Path, capsys: pytest.CaptureFixture[str], patience: float = 0) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit status and the lines."""
    status = prove_one("db=toy", bindings=work, patience=patience)
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def own(work: Path) -> list[str]:
    """The command that proves one edge, as a process of its own."""
    return [sys.executable, "-c", START.format(operator=str(Path(proofs.__file__).parents[2]))]


def test_each_step_is_a_line(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(work, "with step('log in'):\n    assert share['password']\nwith step('read'):\n    pass")
    status, lines = run(work, capsys)
    assert status == 0
    assert [(line["edge"], line["name"], line["ok"], line["class"]) for line in lines] == [
        ("db", "log in", True, ""),
        ("db", "read", True, ""),
    ]


def test_a_proof_ends_with_the_step_that_fails_and_hides_secrets(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(work, "with step('a'):\n    raise PermissionError('no ' + share['password'])\nwith step('b'):\n    pass")
    status, (line,) = run(work, capsys)
    assert status == 1
    assert (line["name"], line["class"], line["message"]) == ("a", "auth", "no ***")


@pytest.mark.parametrize(
    ("attempt", "ok", "kind"),
    [
        pytest.param("raise PermissionError('no')", True, "", id="refused as it should be"),
        pytest.param("pass", False, "auth", id="let in"),
        pytest.param("raise ConnectionError('gone')", False, "network", id="nobody there proves nothing"),
        pytest.param("{}['x']", False, "other", id="a slip of the program proves nothing"),
    ],
)
def test_a_refusal_is_proven_by_being_refused(
    work: Path, capsys: pytest.CaptureFixture[str], attempt: str, ok: bool, kind: str
) -> None:
    write(work, f"def attempt():\n    {attempt}\nstep.refuses('a stranger', attempt)")
    _, (line,) = run(work, capsys)
    assert (line["name"], line["ok"], line["class"]) == ("a stranger is refused", ok, kind)


def test_who_reaches_nobody_starts_again_for_a_while(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = "import pathlib\nseen = pathlib.Path('seen')\nwith step('a'):\n    if not seen.exists():\n"
    write(work, body + "        seen.touch()\n        raise ConnectionError('not yet')")
    status, lines = run(work, capsys, patience=10)
    assert status == 0
    assert [line["ok"] for line in lines] == [False, True]


@pytest.mark.parametrize("kind", ["PermissionError", "LookupError", "TimeoutError", "RuntimeError"])
def test_other_faults_are_final(work: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    write(work, f"with step('a'):\n    raise {kind}('no')")
    assert len(run(work, capsys, patience=10)[1]) == 1


def test_every_edge_is_tried_and_reported(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "files").mkdir()
    write(work, "with step('a'):\n    raise LookupError('no table')", "sql")
    write(work, "with step('b'):\n    pass", "blob")
    log = work / "log"
    assert prove_all(["db=sql", "files=blob"], own(work), log) == 1
    report = parse_report(log.read_text())
    assert (report["db"].ok, report["db"].failure, report["db"].message) == (False, "absent", "no table")
    assert report["files"].ok
    assert len(capsys.readouterr().out.splitlines()) == 2, "the lines are in the pod's log as well"


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        pytest.param(
            "import time\nwith step('a'):\n    time.sleep(60)", "slow", "took longer than 2 seconds", id="hangs"
        ),
        pytest.param("import os\nos._exit(7)", "other", "ended with status 7", id="crashes"),
        pytest.param("import os\nos.kill(os.getpid(), 9)", "other", "ended with status -9", id="is killed"),
        pytest.param("raise ValueError('outside of a step')", "other", "ended with status 1", id="fails between steps"),
    ],
)
def test_a_proof_that_goes_wrong_altogether_fails_alone(work: Path, body: str, kind: str, says: str) -> None:
    (work / "files").mkdir()
    write(work, body, "sql")
    write(work, "with step('b'):\n    pass", "blob")
    started = time.monotonic()
    assert prove_all(["db=sql", "files=blob"], own(work), work / "log", deadline=2) == 1
    assert time.monotonic() - started < 30
    report = parse_report((work / "log").read_text())
    assert (report["db"].failure, report["files"].ok) == (kind, True)
    assert says in report["db"].message


@pytest.mark.parametrize("edges", [1, 6, 12, 30])
def test_a_long_report_keeps_what_matters(edges: int) -> None:
    good = {"name": "n" * 50, "ok": True, "milliseconds": 1}
    bad = {"name": "last", "ok": False, "milliseconds": 1, "class": "auth", "message": "m" * 5000}
    text = fit({f"edge{i}": [good] * 12 + [bad] for i in range(edges)})
    assert len(text) <= proofs.LONGEST_REPORT
    report = parse_report(text)
    assert len(report) == edges
    assert {proof.failure for proof in report.values()} == {"auth"}


@pytest.mark.parametrize("text", ["", "killed", "[]", '{"db": 1}', '{"db": [{}]}', "null"])
def test_a_message_that_is_no_report_says_nothing(text: str) -> None:
    assert parse_report(text) == {}


def test_a_proof_without_steps_proves_nothing() -> None:
    assert not parse_report('{"db": []}')["db"].ok
