"""``aistack render``: all objects of a stack, without a cluster."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import yaml

from aistack.api.spec import AIStackSpec
from aistack.cli.app import run
from aistack.cli.exits import ExitCode
from aistack.cli.rendering import KEYS
from tests.toy import plan
from tests.unit.cli.lab import STACK, Cli

FOLDER = Path(__file__).parents[4] / "examples"
EXAMPLES = sorted([*FOLDER.glob("*.yaml"), FOLDER / "gitops" / "stack.yaml"])


def test_every_object_is_printed_in_the_order_of_applying(cli: Cli) -> None:
    result = cli("render", "-f", cli.file(), "-n", "ml")
    printed = [(d["kind"], d["metadata"]["name"]) for d in yaml.safe_load_all(result.out)]
    units = plan().plan.units
    planned = [s.ref for u in units for s in (*u.prepare, *u.actions, *u.run)]
    assert result.code == ExitCode.OK
    assert printed == [(ref.kind, ref.name) for ref in planned]


def test_the_output_is_the_same_byte_for_byte(cli: Cli) -> None:
    file = cli.file()
    assert cli("render", "-f", file).out == cli("render", "-f", file).out


def test_secrets_tell_how_keys_are_made_and_hold_no_value(cli: Cli) -> None:
    documents = list(yaml.safe_load_all(cli("render", "-f", cli.file()).out))
    secrets = [d for d in documents if d["kind"] == "Secret"]
    assert secrets
    for secret in secrets:
        assert not {"data", "stringData"} & secret.keys()
    assert any("password: generated, " in s["metadata"]["annotations"][KEYS] for s in secrets)


def test_json_is_one_list(cli: Cli) -> None:
    printed = json.loads(cli("render", "-f", cli.file(), "-o", "json").out)
    assert printed["kind"] == "List"
    assert printed["items"] == list(yaml.safe_load_all(cli("render", "-f", cli.file()).out))


@pytest.mark.parametrize(
    ("text", "args", "namespace"),
    [
        pytest.param(STACK, (), "default", id="none-given"),
        pytest.param(STACK, ("-n", "ml"), "ml", id="option"),
        pytest.param(STACK.replace("demo}", "demo, namespace: own}"), (), "own", id="file"),
        pytest.param(STACK.replace("demo}", "demo, namespace: own}"), ("-n", "own"), "own", id="both-agree"),
    ],
)
def test_namespaces(cli: Cli, text: str, args: tuple[str, ...], namespace: str) -> None:
    documents = yaml.safe_load_all(cli("render", "-f", cli.file(text), *args).out)
    assert {d["metadata"]["namespace"] for d in documents} == {namespace}


def test_several_stacks_from_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{STACK}---\n{STACK.replace('demo', 'other')}"))
    names = {d["metadata"]["labels"]["aistack.dev/stack"] for d in yaml.safe_load_all(cli("render", "-f", "-").out)}
    assert names == {"demo", "other"}


def test_texts_of_several_lines_stay_readable(cli: Cli) -> None:
    assert "aistack.dev/keys: |\n" in cli("render", "-f", cli.file()).out


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_can_be_installed(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "-f", str(example)]) == ExitCode.OK, capsys.readouterr().err


def test_the_customised_example_uses_every_group_of_fields() -> None:
    (customised,) = (example for example in EXAMPLES if example.stem == "customised")
    known = {field.alias or name for name, field in AIStackSpec.model_fields.items()}
    assert yaml.safe_load(customised.read_text())["spec"].keys() == known


def test_split_writes_a_file_for_each_object_and_the_same_ones_again(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "deploy"
    file = cli.file()
    printed = {(d["kind"], d["metadata"]["name"]): d for d in yaml.safe_load_all(cli("render", "-f", file).out)}
    assert cli("render", "-f", file, "--split", str(folder)).out == f"{len(printed)} files in {folder}\n"
    texts = {path: path.read_text() for path in folder.rglob("*.yaml")}
    objects = [yaml.safe_load(text) for text in texts.values()]
    assert {(o["kind"], o["metadata"]["name"]): o for o in objects} == printed
    cli("render", "-f", file, "--split", str(folder))
    assert {path: path.read_text() for path in folder.rglob("*.yaml")} == texts


def test_split_removes_what_is_no_longer_rendered_and_nothing_else(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "deploy"
    cli("render", "-f", cli.file(), "--split", str(folder))
    own = folder / "default" / "own.yaml"
    own.write_text("kind: ConfigMap\n")
    less = cli.file(STACK.replace("profile: toy", "components: [{name: db}]"))
    assert "that are no longer rendered removed" in cli("render", "-f", less, "--split", str(folder)).out
    names = {path.name for path in folder.rglob("*.yaml")}
    assert "own.yaml" in names
    assert "deployment-demo-db.yaml" in names
    assert not any("demo-web" in name for name in names)


def test_split_overwrites_no_file_of_somebody_else(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "deploy" / "default" / "service-demo-db.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("kind: Service\n")
    result = cli("render", "-f", cli.file(), "--split", str(tmp_path / "deploy"))
    assert result.code == ExitCode.ERROR
    assert "wasn't written by 'aistack render --split'; move it away" in result.err
    assert [path.name for path in mine.parent.iterdir()] == [mine.name]
    assert mine.read_text() == "kind: Service\n"
