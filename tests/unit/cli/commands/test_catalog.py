"""``aistack catalog``, ``crd``, ``images`` and ``version``: what is printed without a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from aistack.api.crd import CRD_NAME
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
    assert yaml.safe_load(cli("crd").out)["metadata"]["name"] == CRD_NAME


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


def test_versions(cli: Cli) -> None:
    assert json.loads(cli("version", "-o", "json").out)["catalog"] == toy().digest
