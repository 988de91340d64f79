"""Claims inside Jobs."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aistack.proving import bindings
from aistack.proving.claims import run_claim

PASSWORD = "correct-horse-battery"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Bindings as Kubernetes mounts them: keys are links into a folder that begins with two dots."""
    for name, values in {"admin": {"host": "db", "password": PASSWORD}, "share": {"uri": f"x://{PASSWORD}"}}.items():
        data = tmp_path / name / "..data"
        data.mkdir(parents=True)
        for key, value in values.items():
            (data / key).write_text(value, "utf-8")
            (tmp_path / name / key).symlink_to(data / key)
    return tmp_path


@pytest.fixture(autouse=True)
def _programs(work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Contracts lie in the working directory."""
    monkeypatch.chdir(work)
    monkeypatch.syspath_prepend(str(work))
    yield
    for name in [n for n in sys.modules if n == "contracts" or n.startswith("contracts.")]:
        del sys.modules[name]


def write(work: Path, body: str) -> None:
    """Write a claim whose function has this body."""
    for name in [n for n in sys.modules if n == "contracts" or n.startswith("contracts.")]:
        del sys.modules[name]
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    folder = work / "contracts" / "toy"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "claim.py").write_text(f"def claim(admin, share):\n{lines}\n", "utf-8")
    importlib.invalidate_caches()


def run(work: Path, capsys: pytest.CaptureFixture[str], patience: float = 0) -> tuple[int, dict[str, Any], str]:
    """Return the exit status, the JSON line and the last line on standard error."""
    status = run_claim("claim", "toy", bindings=work, patience=patience)
    printed = capsys.readouterr()
    (line,) = printed.out.splitlines()
    return status, json.loads(line), (printed.err.splitlines() or [""])[-1]


def test_success_is_one_line_and_status_0(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(work, f"assert admin == dict(host='db', password={PASSWORD!r}) and set(share) == set(['uri'])")
    status, line, message = run(work, capsys)
    assert status == 0
    assert (line["name"], line["ok"], line["class"], line["message"]) == ("claim/toy", True, "", "")
    assert isinstance(line["milliseconds"], int)
    assert message == ""


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        ("ConnectionError('nobody answers')", "network"),
        ("ConnectionRefusedError('nobody answers')", "network"),
        ("PermissionError('refused')", "auth"),
        ("LookupError('no such bucket')", "absent"),
        ("ValueError('name too long')", "other"),
        ("RuntimeError('answered 500')", "other"),
        ("TimeoutError('no answer in 5 s')", "slow"),
        ("__import__('ssl').SSLError('not trusted')", "tls"),
        ("OSError(__import__('errno').EDQUOT, 'the quota is full')", "quota"),
    ],
)
def test_an_exception_says_whose_turn_it_is(
    work: Path, capsys: pytest.CaptureFixture[str], exception: str, kind: str
) -> None:
    write(work, f"raise {exception}")
    status, line, message = run(work, capsys)
    assert (status, line["ok"], line["class"]) == (1, False, kind)
    assert message == line["message"] != ""


def test_a_message_is_one_line_without_secrets(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(work, "raise RuntimeError(f\"{admin['host']} said:\\nno {admin['password']} {share['uri']}\")")
    _, line, message = run(work, capsys)
    assert message == line["message"] == "db said: no *** x://***"


@pytest.mark.parametrize(
    ("binding", "text", "shown"),
    [
        ({"uri": "http://db:5000"}, "ada at http://db:5000: refused", "ada at http://db:5000: refused"),
        ({"password": "pass/word+ä"}, "x://ada:pass%2Fword%2B%C3%A4@db/a", "x://ada:***@db/a"),
        ({"password": "pass word/"}, "form a=pass+word%2F path pass%20word/", "form a=*** path ***"),
        ({"uri": "x://ada:pass%2Fword@db/a"}, "no x://ada:pass%2Fword@db/a", "no x://ada:***@db/a"),
        ({"jdbc-uri": "jdbc:x://db/a"}, "no jdbc:x://db/a", "no jdbc:x://db/a"),
        ({"access-key": "ABCDEFGH", "secret-key": "ABCDEFGHIJ"}, "ABCDEFGHIJ ABCDEFGH", "*** ***"),
        ({"password": "short"}, "shortly", "shortly"),
    ],
    ids=["where", "in-a-uri", "in-a-form", "of-a-uri-only", "jdbc", "one-inside-another", "short"],
)
def test_secrets_are_blotted_out_and_places_are_not(binding: dict[str, str], text: str, shown: str) -> None:
    assert bindings.hider(binding)(text) == shown


def test_a_long_message_is_cut(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(work, "raise RuntimeError('x' * 5000)")
    assert len(run(work, capsys)[1]["message"]) == bindings.LONGEST


def test_a_provider_that_comes_up_late_is_reached(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counter = work / "attempts"
    write(
        work,
        f"from pathlib import Path\ncounter = Path({str(counter)!r})\n"
        "with counter.open('a') as opened:\n    opened.write('x')\n"
        "if len(counter.read_text()) < 3:\n    raise ConnectionError('not yet')",
    )
    assert run(work, capsys, patience=30)[0] == 0
    assert counter.read_text("utf-8") == "xxx"


@pytest.mark.parametrize("exception", ["PermissionError('no')", "RuntimeError('no')"])
def test_only_an_unreachable_provider_is_tried_again(
    work: Path, capsys: pytest.CaptureFixture[str], exception: str
) -> None:
    counter = work / "attempts"
    write(work, f"with open({str(counter)!r}, 'a') as opened:\n    opened.write('x')\nraise {exception}")
    run(work, capsys, patience=30)
    assert counter.read_text("utf-8") == "x"


def test_a_fault_of_the_program_is_told_with_a_traceback(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(work, "raise ZeroDivisionError(f\"with {admin['password']}\")")
    assert run_claim("claim", "toy", bindings=work, patience=0) == 1
    printed = capfd.readouterr()
    line = json.loads(printed.out)
    assert line["class"] == "other"
    assert printed.err.splitlines()[-1] == line["message"] == "ZeroDivisionError: with ***"
    assert "Traceback" in printed.err
    assert PASSWORD not in printed.err + printed.out


@pytest.mark.parametrize("statement", ["share['nothing']", "[][0]"])
def test_a_lookup_that_the_program_did_not_foresee_is_no_absence(
    work: Path, capsys: pytest.CaptureFixture[str], statement: str
) -> None:
    write(work, statement)
    assert run(work, capsys)[1]["class"] == "other"


def test_the_job_s_command_runs_it(work: Path) -> None:
    """As in the pod: the working directory holds ``aistack/proving`` and ``contracts``, and nothing is installed."""
    write(work, "pass")
    (work / "aistack").mkdir()
    (work / "aistack" / "proving").symlink_to(Path(bindings.__file__).parent)
    code = "import runpy, sys, aistack.proving.bindings as b; from pathlib import Path; b.BINDINGS = Path('.'); "
    code += "sys.argv = ['x', 'claim', 'toy']; runpy.run_module('aistack.proving', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=work, capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "claim/toy"


def test_the_programs_need_the_standard_library_only() -> None:
    for file in Path(bindings.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        imported = {
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        }
        foreign = {n for n in imported if n.split(".")[0] not in sys.stdlib_module_names}
        assert {n for n in foreign if not n.startswith("aistack.proving.")} == set(), file.name
