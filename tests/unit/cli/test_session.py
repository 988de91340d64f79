"""Commands to type next, as messages and advice write them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aistack.cli.session import Session


@pytest.fixture(autouse=True)
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current context is of namespace ``usual``."""
    contexts = [{"name": "c", "context": {"namespace": "usual"}}]
    (tmp_path / "config").write_text(yaml.safe_dump({"current-context": "c", "contexts": contexts}))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("session", "namespace", "written"),
    [
        pytest.param(Session(), "usual", "aistack wait demo", id="nothing-needed"),
        pytest.param(Session(given_namespace="ml"), "ml", "aistack wait demo -n ml", id="another-namespace"),
        pytest.param(Session("kubectl aistack"), "usual", "kubectl aistack wait demo", id="plugin"),
        pytest.param(Session(context="c"), "usual", "aistack wait demo --context c", id="context"),
        pytest.param(
            Session(kubeconfig="my config", catalog_folder=Path("m")),
            "ml",
            "aistack wait demo --catalog m --kubeconfig 'my config' -n ml",
            id="files",
        ),
    ],
)
def test_a_command_repeats_the_global_options(session: Session, namespace: str, written: str) -> None:
    assert session.command("wait demo", namespace) == written
    assert session.commands(namespace)("wait demo") == written


def test_without_a_namespace_none_is_asked_for() -> None:
    assert Session(given_namespace="ml").command("status -A") == "aistack status -A"
