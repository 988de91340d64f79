"""``aistack component`` and ``--piece``: pieces from folders and registries, without a cluster."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from aistack.cli.exits import ExitCode
from aistack.objects.artifact import parse_reference
from aistack.pieces.artifact import to_artifact
from aistack.sources.oci import pull
from tests.hello import write_hello
from tests.registry import fake_registry_beside
from tests.toy import TOY
from tests.unit.cli.lab import STACK, Cli


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    return write_hello(tmp_path / "author", "sql") / "components" / "hello"


def test_what_is_pushed_is_pinned_and_can_be_installed(cli: Cli, hello: Path) -> None:
    with fake_registry_beside() as registry:
        pushed = cli("component", "push", str(hello), registry.reference("hello:1.0"))
        assert pushed.code == ExitCode.OK, pushed.err
        pinned = parse_reference(pushed.out.strip())
        assert pinned.tag == "1.0"
        assert asyncio.run(pull(pinned)) == (pinned.digest, to_artifact(hello))

        asked = cli("component", "install", "hello", registry.reference("hello:1.0"), "--dry-run")
        assert asked.code == ExitCode.OK, asked.err
    manifest = yaml.safe_load(asked.out)
    assert manifest["kind"] == "AIComponent"
    assert manifest["metadata"] == {"name": "hello"}
    assert manifest["spec"] == {"artifact": str(pinned), "kinds": ["ConfigMap", "Service", "apps/Deployment"]}


def test_what_is_wrong_is_told_before_anything_is_installed(cli: Cli, tmp_path: Path) -> None:
    folder = write_hello(tmp_path / "author", "sequel")
    with fake_registry_beside() as registry:
        reference = registry.reference("hello:1.0")
        assert cli("component", "push", str(folder), reference).code == ExitCode.OK
        refused = cli("component", "install", "hello", reference, "--dry-run")
    assert refused.code == ExitCode.ERROR
    assert "there is no contract 'sequel'" in refused.err


def test_a_folder_that_is_no_component_is_not_pushed(cli: Cli, tmp_path: Path) -> None:
    refused = cli("component", "push", str(tmp_path), "r.test/hello:1.0")
    assert refused.code == ExitCode.ERROR
    assert "has no component.yaml and no contract.yaml" in refused.err


def test_a_piece_is_part_of_the_catalog_for_one_command(cli: Cli, hello: Path) -> None:
    piece = ("--piece", str(hello))
    listing = cli("catalog", *piece).out
    row = next(line for line in listing.splitlines() if line.startswith("hello"))
    assert "SOURCE" in listing
    assert str(hello) in row
    assert f"source     {hello}" in cli("catalog", "show", "hello", *piece).out
    assert json.loads(cli("catalog", "-o", "json", *piece).out)["origins"] == {"components/hello": str(hello)}

    file = cli.file(STACK.replace("{profile: toy}", "{profile: toy, components: [{name: hello}]}"))
    assert "name: demo-hello\n" in cli("render", "-f", file, *piece).out
    assert "no component is named 'hello'" in cli("render", "-f", file).err


def test_a_piece_takes_the_place_of_what_has_its_name(cli: Cli, tmp_path: Path) -> None:
    folder = write_hello(tmp_path / "author", "", "web")
    shown = json.loads(cli("catalog", "show", "web", "-o", "json", "--piece", str(folder)).out)
    assert (shown["title"], shown["source"]) == ("Hello", str(folder))


def test_a_piece_from_a_registry_is_checked_first(cli: Cli, hello: Path, tmp_path: Path) -> None:
    with fake_registry_beside() as registry:
        good, bad = (registry.reference(name) for name in ("hello:1.0", "hello:2.0"))
        cli("component", "push", str(hello), good)
        assert "Hello" in cli("catalog", "show", "hello", "--piece", good).out
        cli("component", "push", str(write_hello(tmp_path / "bad", "sequel")), bad)
        refused = cli("catalog", "--piece", bad)
    assert refused.code == ExitCode.ERROR
    assert "there is no contract 'sequel'" in refused.err


def test_a_piece_that_is_neither_folder_nor_reference_is_told(cli: Cli) -> None:
    refused = cli("catalog", "--piece", "weaviate")
    assert refused.code == ExitCode.ERROR
    assert "'weaviate' is no reference of an artifact; write host/path:tag" in refused.err


def test_a_folder_is_checked_and_its_renders_are_written(cli: Cli, hello: Path) -> None:
    stack = hello / "tests" / "default" / "stack.yaml"
    stack.parent.mkdir(parents=True)
    stack.write_text(STACK.replace("{profile: toy}", "{profile: toy, components: [{name: hello}]}"))
    missing = cli("component", "check", str(hello), "-o", "json")
    assert missing.code == ExitCode.ERROR
    (problem,) = json.loads(missing.out)
    assert problem["file"] == f"{hello}/tests/default/expected.yaml"
    assert "run 'aistack component check --update'" in problem["problem"]

    updated = cli("component", "check", str(hello), "--update")
    assert (updated.code, updated.out) == (ExitCode.OK, f"{hello} is in order\n")
    assert updated.err == f"{hello}/tests/default/expected.yaml: written\n"


def test_problems_of_several_folders_are_told_together(cli: Cli, hello: Path, tmp_path: Path) -> None:
    (hello / "README.md").unlink()
    refused = cli("component", "check", str(hello), str(tmp_path / "nowhere"))
    assert refused.code == ExitCode.ERROR
    assert refused.out.splitlines()[0].startswith(f"{hello}/README.md: is missing: write what the component is")
    assert refused.out.splitlines()[-1].startswith(f"{tmp_path}/nowhere: has no component.yaml")
    assert "problems in" in refused.err


def test_a_component_is_begun_and_passes(cli: Cli, tmp_path: Path) -> None:
    image = ("--from-image", "ghcr.io/acme/tool:1.2.3", "--requires", "sql", "--directory", str(tmp_path))
    made = cli("component", "new", "my-tool", *image)
    folder = tmp_path / "my-tool"
    assert made.code == ExitCode.OK, made.err
    assert f"{folder}/component.yaml" in made.out.splitlines()
    assert f"component check {folder}" in made.err
    assert cli("component", "check", str(folder)).out == f"{folder} is in order\n"

    again = cli("component", "new", "my-tool", *image)
    assert again.code == ExitCode.ERROR
    assert f"{folder} is there already, and is left as it is" in again.err


def test_a_component_is_of_an_image_or_of_a_chart(cli: Cli, tmp_path: Path) -> None:
    both = ("--from-image", "ghcr.io/acme/tool:1.2.3", "--from-chart", str(tmp_path))
    refused = cli("component", "new", "my-tool", *both, "--directory", str(tmp_path))
    assert refused.code == ExitCode.ERROR
    assert "--from-chart and --from-image exclude each other" in refused.err
    assert not (tmp_path / "my-tool").exists()


def test_what_another_folder_brings_counts(cli: Cli, tmp_path: Path) -> None:
    contract = tmp_path / "author" / "contracts" / "ledger"
    contract.mkdir(parents=True)
    for file in (TOY / "contracts" / "sql").iterdir():
        text = file.read_text().replace("name: sql", "name: ledger") if file.suffix == ".yaml" else file.read_text()
        (contract / file.name).write_text(text)
    piece = ("--piece", str(contract))
    image = ("--from-image", "ghcr.io/acme/tool:1.2.3", "--provides", "ledger", "--directory", str(tmp_path))
    assert "there is no contract 'ledger'" in cli("component", "new", "my-tool", *image).err
    made = cli("component", "new", "my-tool", *image, *piece)
    assert made.code == ExitCode.OK, made.err
    assert "there is no contract 'ledger'" in cli("component", "check", str(tmp_path / "my-tool")).out
    assert cli("component", "check", str(tmp_path / "my-tool"), *piece).code == ExitCode.OK
