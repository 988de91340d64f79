"""The operator as a Helm release."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from aistack.cli.session import Session
from aistack.cli.trial import release as module
from aistack.cli.trial.release import Release, chart_folder
from aistack.errors import ToolError


def test_helm_is_told_the_cluster_and_the_values_by_their_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available", lambda program: True)
    ran: list[Sequence[str]] = []
    release = Release(Session(kubeconfig="/some/config", context="company"), lambda command: str(ran.append(command)))
    release.install({"images.registry": "registry.example.com/ai", "crds.install": False})
    (command,) = ran
    text = " ".join(command)
    assert text.startswith(f"helm upgrade aistack {chart_folder()} --install ")
    assert '--set-json images.registry="registry.example.com/ai" --set-json crds.install=false' in text
    assert text.endswith("--namespace aistack-system --kubeconfig /some/config --kube-context company")


def test_without_helm_the_message_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available", lambda program: False)
    with pytest.raises(ToolError, match="helm is not installed: https://"):
        Release(Session()).uninstall()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ('Apply failed with 1 conflict: conflict with "kubectl" using apiextensions.k8s.io/v1: .spec.versions', True),
        ("the release aistack runs the operator in namespace x already", False),
    ],
    ids=["fields of kubectl", "all else"],
)
def test_fields_of_others_come_with_what_to_do(monkeypatch: pytest.MonkeyPatch, said: str, remedy: bool) -> None:
    def fails(command: Sequence[str]) -> str:
        raise ToolError(said)

    monkeypatch.setattr(module, "available", lambda program: True)
    with pytest.raises(ToolError) as caught:
        Release(Session(), fails).install({})
    assert str(caught.value).startswith(said)
    assert ("--take-ownership --force-conflicts" in str(caught.value)) is remedy


def test_the_chart_is_found() -> None:
    assert (chart_folder() / "values.yaml").is_file()
