"""Global options may stand anywhere, as with kubectl."""

from __future__ import annotations

import pytest

from aistack.cli.globals import command_of, globals_first, without_aliases


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        pytest.param("status demo -n ml", "-n ml status demo", id="after-the-command"),
        pytest.param("-n ml status demo", "-n ml status demo", id="before-the-command"),
        pytest.param("status --namespace=ml -A", "--namespace=ml status -A", id="with-equals-sign"),
        pytest.param("status -nml", "-nml status", id="glued-on"),
        pytest.param("plan -f a.yaml --debug --no-color", "--debug --no-color plan -f a.yaml", id="flags"),
        pytest.param("open mlflow -- -n ml", "open mlflow -- -n ml", id="nothing-after-two-dashes"),
        pytest.param("status -n", "-n status", id="value-is-missing"),
        pytest.param("render -f - -o json", "render -f - -o json", id="own-options-stay"),
    ],
)
def test_global_options_come_first(given: str, ordered: str) -> None:
    assert globals_first(given.split()) == ordered.split()


@pytest.mark.parametrize(
    ("args", "command"),
    [
        pytest.param("-n ml --debug status demo", "status", id="after-values-and-flags"),
        pytest.param("--namespace=ml plan", "plan", id="after-equals-sign"),
        pytest.param("--help", "", id="none"),
        pytest.param("-n status", "", id="value-of-an-option-is-no-command"),
    ],
)
def test_the_command_is_found(args: str, command: str) -> None:
    assert command_of(args.split()) == command


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        pytest.param("--version", "version", id="version"),
        pytest.param("--no-color --version -o json", "--no-color version -o json", id="version-after-globals"),
        pytest.param("help", "--help", id="help"),
        pytest.param("-n ml help images build", "-n ml images build --help", id="help-of-a-subcommand"),
        pytest.param("-n help status", "-n help status", id="a-namespace-may-be-called-help"),
        pytest.param("status help", "status help", id="a-stack-too"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_other_programs_call_it_is_understood(args: str, meant: str) -> None:
    assert without_aliases(args.split()) == meant.split()
