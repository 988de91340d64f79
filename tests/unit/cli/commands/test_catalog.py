"""``aistack catalog``, ``crd``, ``images`` and ``version``: what is printed without a cluster."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import termios
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from aistack.api.crd import DEFINITIONS
from aistack.catalog.locate import catalog_folder
from aistack.cli.app import COMMANDS, run
from aistack.cli.exits import ExitCode
from tests.toy import toy
from tests.unit.cli.lab import Cli


def test_the_list_names_profiles_components_and_contracts(cli: Cli) -> None:
    printed = cli("catalog").out
    for name in (*toy().profiles, *toy().components, *toy().contracts):
        assert name in printed
    assert all(line == line.rstrip() for line in printed.splitlines())


def test_the_list_is_data_too(cli: Cli) -> None:
    listing = json.loads(cli("catalog", "-o", "json").out)
    assert set(listing["components"]) == set(toy().components)
    assert listing["digest"] == toy().digest


def test_a_component_is_shown_with_its_values_and_images(cli: Cli) -> None:
    component = toy().components["db"]
    printed = cli("catalog", "show", "db").out
    for name, schema in component.values_schema["properties"].items():
        assert name in printed
        assert schema.get("description", "") in printed
    assert all(image.reference() in printed for image in component.spec.images.values())


def test_a_component_is_data_too(cli: Cli) -> None:
    shown = yaml.safe_load(cli("catalog", "show", "db", "-o", "yaml").out)
    assert shown["name"] == "db"
    assert shown["values"] == toy().components["db"].values_schema


def test_a_profile_is_shown_with_what_it_asks_for(cli: Cli) -> None:
    profile = toy().profiles["toy"]
    printed = cli("catalog", "show", "toy").out
    assert all(name in printed for name in profile.components)
    asked = json.loads(cli("catalog", "show", "toy", "-o", "json").out)["footprint"]
    assert f"asks for {asked['cpu']} CPU, {asked['memory']} memory" in printed
    assert json.loads(cli("catalog", "-o", "json").out)["profiles"]["toy"]["footprint"] == asked


def test_a_contract_is_shown_with_its_keys_and_who_uses_it(cli: Cli) -> None:
    shown = json.loads(cli("catalog", "show", "sql", "-o", "json").out)
    assert "db" in shown["providers"]
    assert "web" in shown["consumers"]
    printed = cli("catalog", "show", "sql").out
    lines = [line.split() for line in printed.splitlines()]
    assert ["password", "yes"] in [line[:2] for line in lines]
    assert all(key in printed for key in (*shown["keys"], *shown["derived"]))


def test_a_folder_tells_a_contract_from_a_component_of_its_name(cli: Cli) -> None:
    assert json.loads(cli("catalog", "show", "web", "-o", "json").out)["workloads"]
    assert json.loads(cli("catalog", "show", "contracts/web", "-o", "json").out)["keys"]
    assert "is named 'profiles/web'" in cli("catalog", "show", "profiles/web").err


@pytest.mark.parametrize("args", [("catalog",), ("catalog", "show", "mlflow"), ("images", "list")], ids=" ".join)
def test_sentences_are_readable_in_80_columns(args: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """In a real terminal, as the layout depends on it: nothing is cut, and no sentence is squeezed into a column."""
    shown = in_terminal(*args)
    lines = shown.splitlines()
    assert max(len(line) for line in lines) <= 80
    run([*args])
    whole = capsys.readouterr().out
    assert set(whole.split()) - set(shown.split()) <= {"ABOUT", "DESCRIPTION"}
    sentences = [line for line in lines if line.startswith("  ")]
    assert sentences, "they stand below what they describe"
    assert all(
        len(line) > 50 for line, following in pairwise(lines) if following.startswith("  ") and line in sentences
    )


def in_terminal(*args: str) -> str:
    """What a command prints in a terminal of 80 columns, without colours."""
    program = "import sys; from aistack.cli.app import run; sys.exit(run(sys.argv[1:]))"
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    env |= {"PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1", "TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", program, *args], stdin=slave, stdout=slave, env=env) as process:
        os.close(slave)
        shown = b"".join(iter(lambda: _read(master), b""))
    os.close(master)
    assert process.returncode == ExitCode.OK
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux' way to say that nobody writes any more
        return b""


def test_the_real_catalog_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", "check", str(catalog_folder())]) == ExitCode.OK, capsys.readouterr().out


def test_problems_are_listed_by_file_and_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "components" / "bad").mkdir(parents=True)
    (tmp_path / "components" / "bad" / "component.yaml").write_text("name: bad\ntitle: [")
    result = cli("catalog", "check", str(tmp_path), "-o", "json")
    assert result.code == ExitCode.ERROR
    told = [(problem["file"], problem["line"]) for problem in json.loads(result.out)]
    assert told[:2] == [("components/bad/README.md", 0), ("components/bad/component.yaml", 3)]


def test_a_folder_without_catalog_is_refused(cli: Cli, tmp_path: Path) -> None:
    assert "holds no catalog" in cli("catalog", "check", str(tmp_path)).err


def test_the_crd_is_printed_for_kubectl(cli: Cli) -> None:
    text, data = cli("crd").out, cli("crd", "-o", "json").out
    documents = list(yaml.safe_load_all(text))
    assert [document["metadata"]["name"] for document in documents] == [d.name for d in DEFINITIONS]
    assert json.loads(data)["items"] == documents


def test_images_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", "list", "-o", "json", "--platform", "linux/amd64"]) == ExitCode.OK
    listed = json.loads(capsys.readouterr().out)
    assert {"runner", "postgres/server"} <= {image["name"] for image in listed}
    assert all(image["reference"].startswith("registry.aistack.dev/") for image in listed)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("catalog", "show"), ("images", "push")])
def test_help_teaches_by_example(cli: Cli, command: tuple[str, ...]) -> None:
    result = cli(*command, "--help")
    assert result.code == ExitCode.OK
    assert "aistack " in result.out.split("╯")[-1]
    assert "bool" not in result.out, "a flag takes no value"


def test_versions(cli: Cli) -> None:
    assert json.loads(cli("version", "-o", "json").out)["catalog"] == toy().digest
    assert cli("--version") == cli("version")


def test_help_is_a_command_too(cli: Cli) -> None:
    assert cli("help", "images", "build") == cli("images", "build", "--help")
