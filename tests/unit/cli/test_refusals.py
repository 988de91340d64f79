"""Wrong usage and wrong input: one line that says what is wrong and what to do, exit code 1, no traceback."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
import yaml

from aistack.cli.app import run
from aistack.cli.exits import ExitCode
from tests.bad_stacks import BAD_STACKS, BadStack
from tests.unit.cli.lab import STACK, Cli

USAGE = [
    pytest.param(["stats"], "No such command 'stats'. Did you mean 'status'?; see aistack --help", id="command"),
    pytest.param(["render"], "Missing option '--file' / '-f'; see aistack render --help", id="option-is-missing"),
    pytest.param(["render", "--fil", "x"], "No such option: --fil", id="option-is-misspelt"),
    pytest.param(["status", "-o", "xml"], "'xml' is not one of 'json', 'yaml'", id="output-format"),
    pytest.param(
        ["wait", "demo", "--timeout", "soon"], "'soon' is no duration; write e.g. 90s, 10m or 1h", id="duration"
    ),
    pytest.param(["wait"], "Missing argument 'name'; see aistack wait --help", id="argument-is-missing"),
    pytest.param(["catalog", "show", "wep"], "is named 'wep'; did you mean 'web'?", id="component"),
    pytest.param(["catalog", "shw"], "Did you mean 'show'?; see aistack catalog --help", id="subcommand"),
    pytest.param(["catalog", "show"], "Missing argument 'name'; see aistack catalog show --help", id="its-argument"),
    pytest.param(
        ["images", "build", "--builder", "x"],
        "'--builder': 'x' is not one of 'auto', 'docker', 'buildah'; see aistack images build --help",
        id="its-option",
    ),
    pytest.param(["status", "demo", "-A"], "NAME asks for one stack and -A for all; leave out one", id="one-and-all"),
    pytest.param(
        ["render", "-f", "-", "-n", "Bad NS!"],
        "metadata.namespace: 'Bad NS!' is no name of a namespace",
        id="namespace",
    ),
    pytest.param(["status"], "doesn't exist; name a kubeconfig with --kubeconfig FILE", id="no-cluster"),
]
FILES = [
    pytest.param("a: [", "stack.yaml:2: can't be parsed", id="no-yaml"),
    pytest.param("", "holds no AIStack; write one", id="empty"),
    pytest.param("just text", "stack.yaml: is no Kubernetes object", id="text"),
    pytest.param("metadata: {name: x}", "apiVersion: is missing; write aistack.dev/v1alpha1", id="no-api-version"),
    pytest.param(STACK.replace("AIStack", "Pod"), "kind: is 'Pod'; aistack reads only AIStacks", id="another-kind"),
    pytest.param(STACK.replace("v1alpha1", "v9"), "apiVersion: is 'aistack.dev/v9'; write", id="another-version"),
    pytest.param(
        STACK + "spec: {profile: x}\n", "stack.yaml:5: can't be parsed: 'spec' stands here twice", id="key-twice"
    ),
    pytest.param(STACK.replace("toy", "2024-99-99"), "stack.yaml: can't be parsed: month must be in", id="no-date"),
    pytest.param(
        STACK.replace("toy", "[" * 150 + "]" * 150),
        "is nested deeper than 100 levels; write it flatter",
        id="too-deep",
    ),
    pytest.param(
        STACK.replace("toy", "[" * 4000 + "]" * 4000),
        "stack.yaml:4: can't be parsed: it is nested deeper than 250 levels",
        id="bottomless",
    ),
    pytest.param("a: \x07", "stack.yaml: can't be parsed: ", id="control-character"),
    pytest.param(
        STACK.replace("name: demo", "name: demo, namespace: Bad NS!"),
        "metadata.namespace: 'Bad NS!' is no name of a namespace",
        id="namespace",
    ),
    pytest.param(
        f"{STACK}---\n{STACK}",
        "stack.yaml, document 2 (AIStack demo): demo in default is",
        id="stack-twice",
    ),
    pytest.param(
        f"{STACK}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: ml}}\n",
        "stack.yaml, document 2 (Namespace ml): kind: is 'Namespace'; aistack reads only AIStacks",
        id="another-kind-besides",
    ),
    pytest.param(f"{STACK}---\njust text\n", "stack.yaml, document 2: is no Kubernetes object", id="text-besides"),
    pytest.param(
        f"{STACK}---\n{STACK.replace('demo', 'other').replace('toy', 'tyo')}",
        "stack.yaml, document 2 (AIStack other): spec.profile: no profile is named 'tyo'; did you mean 'toy'?",
        id="profile-of-the-second",
    ),
    pytest.param(
        STACK.replace("toy", "tyo"), "spec.profile: no profile is named 'tyo'; did you mean 'toy'?", id="profile"
    ),
    pytest.param(
        STACK.replace("profile: toy", "components: [{name: wep}]"),
        "spec.components[wep].name: no component is named 'wep'; did you mean 'web'?",
        id="component",
    ),
    pytest.param(
        STACK.replace("profile: toy", "profile: toy, components: [{name: web, version: '9'}]"),
        "spec.components[web].version: '9' is not in the catalog",
        id="version",
    ),
    pytest.param(
        STACK.replace("profile: toy", "profile: toy, components: [{name: db, values: {nosuch: 1}}]"),
        "spec.components[db].values.nosuch: is not a value of this component",
        id="value",
    ),
]


@pytest.mark.parametrize(("args", "message"), USAGE)
def test_wrong_usage(cli: Cli, args: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(STACK))
    result = cli(*args)
    assert (result.code, result.out) == (ExitCode.ERROR, "")
    assert message in result.err
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("command", ["render", "plan", "apply"])
@pytest.mark.parametrize(("text", "message"), FILES)
def test_wrong_files_are_refused_before_a_cluster_is_asked(cli: Cli, command: str, text: str, message: str) -> None:
    result = cli(command, "-f", cli.file(text))
    assert (result.code, result.out) == (ExitCode.ERROR, "")
    assert message in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("bad", BAD_STACKS, ids=lambda bad: bad.id)
def test_wrong_stacks_are_refused_with_field_and_remedy(cli: Cli, bad: BadStack) -> None:
    result = cli("render", "-f", cli.file(yaml.safe_dump(bad.manifest)))
    assert result.code == ExitCode.ERROR
    assert bad.field in result.err
    assert bad.says in result.err
    assert bad.remedy in result.err


def test_a_file_that_cannot_be_read_says_why(cli: Cli, tmp_path: Path) -> None:
    assert "can't be read: No such file or directory" in cli("render", "-f", str(tmp_path / "none")).err
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "is no text in UTF-8" in cli("render", "-f", str(binary)).err


def test_two_namespaces_are_refused(cli: Cli) -> None:
    file = cli.file(STACK.replace("{name: demo}", "{name: demo, namespace: ml}"))
    result = cli("render", "-f", file, "-n", "other")
    assert "metadata.namespace: is 'ml', and -n asks for 'other'; leave out one of them" in result.err


def test_what_the_system_refuses_is_one_line_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "components" / "web" / "component.yaml").mkdir(parents=True)
    result = cli("catalog", "--catalog", str(tmp_path))
    assert result.code == ExitCode.ERROR
    assert result.err == f"error: [Errno 21] Is a directory: '{tmp_path}/components/web/component.yaml'\n"
    assert "Traceback" in cli("catalog", "--catalog", str(tmp_path), "--debug").err


def test_a_failed_program_is_quoted_line_by_line_and_its_log_named_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    buildah = tmp_path / "buildah"
    buildah.write_text(
        '#!/bin/sh\ncase "$1" in inspect) echo linux/amd64;; *) echo step 1; echo disk full; exit 3;; esac\n'
    )
    buildah.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = run(["images", "build", "python", "--builder", "buildah", "--platform", "linux/amd64"])
    assert code == ExitCode.ERROR
    assert capsys.readouterr().err.splitlines() == [
        "error: buildah build exited 3:",
        "  step 1",
        "  disk full",
        f"  (all of it: {tmp_path}/aistack/images/logs/python.log)",
    ]


def test_debug_shows_where_an_error_came_from(cli: Cli) -> None:
    assert "Traceback" not in cli("catalog", "show", "x").err
    assert "Traceback" in cli("catalog", "show", "x", "--debug").err


def test_the_plugin_speaks_under_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats"], "kubectl aistack") == ExitCode.ERROR
    assert "; see kubectl aistack --help" in capsys.readouterr().err
