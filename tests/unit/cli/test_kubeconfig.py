"""The namespace of a kubeconfig's context."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aistack.cli.kubeconfig import context_namespace, require_credentials
from aistack.errors import ClusterError


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


@pytest.mark.parametrize("text", ["{", "a list: [", "- 1", "", "contexts: [{name: a}]\ncurrent-context: a"], ids=str)
def test_a_file_without_an_answer_gives_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    assert context_namespace(str(tmp_path / "config")) == ""


def test_no_kubeconfig_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no cluster is known: .*missing doesn't exist; name a kubeconfig"):
        require_credentials(str(tmp_path / "missing"))
