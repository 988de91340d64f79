"""Which cluster a trial is in."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aistack.cli.session import Session
from aistack.cli.trial import place as module
from aistack.cli.trial.kind import KindCluster
from aistack.cli.trial.place import place_of
from aistack.errors import InvalidError


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its contexts are a kind cluster's, the current one, and another's; of kind's there is one, named mine."""
    contexts = [{"name": name, "context": {"cluster": name}} for name in ("kind-mine", "kind-gone", "company")]
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump({"current-context": "kind-mine", "contexts": contexts}))
    monkeypatch.setattr(module, "available", lambda program: True)
    monkeypatch.setattr(KindCluster, "exists", lambda self: self.name == "mine")
    return str(path)


@pytest.mark.parametrize(
    ("context", "current", "kind", "own"),
    [
        pytest.param("", False, "aistack", True, id="nothing said: a cluster of its own"),
        pytest.param("", True, "mine", False, id="the current context, which is kind's"),
        pytest.param("company", False, None, False, id="a context that isn't kind's"),
        pytest.param("kind-gone", False, None, False, id="named like kind's, but kind knows none"),
    ],
)
def test_which_cluster_is_meant(kubeconfig: str, context: str, current: bool, kind: str | None, own: bool) -> None:
    found = place_of(Session(kubeconfig=kubeconfig, context=context), "aistack", current)
    assert (found.kind.name if found.kind else None, found.own) == (kind, own)


@pytest.mark.parametrize(("given", "namespace"), [("", "ml"), ("team", "team")])
def test_the_namespace_is_ml_unless_said_otherwise(kubeconfig: str, given: str, namespace: str) -> None:
    assert (
        place_of(Session(kubeconfig=kubeconfig, given_namespace=given), "aistack", False).session.namespace == namespace
    )


def test_no_current_context_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="--current: the kubeconfig has no current context"):
        place_of(Session(kubeconfig=str(tmp_path / "none")), "aistack", True)
