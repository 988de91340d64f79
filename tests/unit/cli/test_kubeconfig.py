"""The namespace of a kubeconfig's context."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aistack.cli.exits import ExitCode
from aistack.cli.kubeconfig import context_namespace, require_credentials
from aistack.errors import ClusterError
from tests.unit.cli.lab import Cli


def config(path: Path, current: str, **namespaces: str) -> str:
    """Write a kubeconfig with one context for each namespace."""
    contexts = [{"name": name, "context": {"cluster": "c", "namespace": ns}} for name, ns in namespaces.items()]
    path.write_text(yaml.safe_dump({"current-context": current, "contexts": contexts}))
    return str(path)


def test_the_current_context_counts(tmp_path: Path) -> None:
    path = config(tmp_path / "config", "b", a="one", b="two")
    assert context_namespace(path) == "two"
    assert context_namespace(path, "a") == "one"


def test_of_several_files_the_first_that_says_something_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [config(tmp_path / "1", "", a="one"), config(tmp_path / "2", "a", a="two")]
    monkeypatch.setenv("KUBECONFIG", ":".join([*files, str(tmp_path / "missing")]))
    assert context_namespace() == "one"


UNREADABLE = [
    pytest.param(b"{", id="cut-off"),
    pytest.param(b"a list: [", id="cut-off-list"),
    pytest.param(b"- 1", id="list"),
    pytest.param(b"", id="empty"),
    pytest.param(b"\xff\xfe\x00", id="no-text"),
    pytest.param(b"[" * 3000, id="nested-too-deeply"),
    pytest.param(b"contexts: 5\ncurrent-context: a", id="contexts-as-a-number"),
    pytest.param(b"contexts: [5]\ncurrent-context: a", id="context-as-a-number"),
]


@pytest.mark.parametrize("text", [*UNREADABLE, pytest.param(b"contexts: [{name: a}]\ncurrent-context: a", id="bare")])
def test_a_file_without_an_answer_gives_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "config").write_bytes(text)
    assert context_namespace(str(tmp_path / "config")) == ""


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_file_that_is_no_kubeconfig_is_named_in_one_line(cli: Cli, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "config").write_bytes(text)
    result = cli("status", "--kubeconfig", str(tmp_path / "config"))
    assert result.code == ExitCode.ERROR
    assert (
        result.err == f"error: {tmp_path / 'config'} is no kubeconfig; kubectl config view says what is wrong with it\n"
    )


def test_no_kubeconfig_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no cluster is known: .*missing doesn't exist; name a kubeconfig"):
        require_credentials(str(tmp_path / "missing"))
