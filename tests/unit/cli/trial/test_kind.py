"""The trial's own cluster: which programs are called, and what is said where they can't help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from aistack.cli.trial import kind as module
from aistack.cli.trial.kind import KindCluster
from aistack.errors import ToolError

TRACE = """\
Creating cluster "trial" ...
ERROR: failed to create cluster: port is already allocated
Stack Trace:
sigs.k8s.io/kind/pkg/errors.WithStack
"""


class Tools:
    """kind and Docker, as far as they are asked."""

    def __init__(self, clusters: str = "", fails: str = "", log: str = "") -> None:
        self.clusters, self.fails, self.log = clusters, fails, log
        self.ran: list[str] = []

    def __call__(self, command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None) -> str:
        words = " ".join(command)
        self.ran.append(words)
        if log is not None and self.log:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(self.log)
        if self.fails and words.startswith(self.fails):
            raise ToolError(f"{self.fails} exited 1:\nwhat it said")
        return {"kind get clusters": self.clusters, "kind get nodes --name trial": "trial-control-plane\n"}.get(
            words, ""
        )


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "available", lambda program: True)
    monkeypatch.setattr(module, "engine", lambda: "docker")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize(("clusters", "there"), [("trial\nother\n", True), ("trial-two\n", False), ("", False)])
def test_a_cluster_is_known_by_its_whole_name(clusters: str, there: bool) -> None:
    assert KindCluster("trial", run_tool=Tools(clusters)).exists() is there


def test_a_kubeconfig_that_was_named_is_the_one_that_is_written() -> None:
    tools = Tools()
    cluster = KindCluster("trial", "/some/config", tools)
    cluster.create("/my/kind.yaml")
    cluster.delete()
    assert tools.ran == [
        "kind create cluster --name=trial --kubeconfig=/some/config --wait=120s --config=/my/kind.yaml",
        "kind delete cluster --name=trial --kubeconfig=/some/config",
    ]
    assert cluster.context == "kind-trial"


def test_nodes_that_stand_still_are_started() -> None:
    tools = Tools("trial\n")
    KindCluster("trial", run_tool=tools).start()
    assert "start trial-control-plane" in tools.ran[-1]


def test_of_kind_s_stack_trace_the_reason_is_told() -> None:
    tools = Tools(fails="kind create", log=TRACE)
    with pytest.raises(ToolError, match="port is already allocated") as failed:
        KindCluster("trial", run_tool=tools).create()
    assert "WithStack" not in str(failed.value)
    assert "kind-trial.log" in str(failed.value)


def test_without_kind_the_message_says_where_it_is_and_what_else_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available", lambda program: False)
    with pytest.raises(ToolError, match=r"kind is not installed: https://.*; or use a cluster.* --current"):
        KindCluster("trial", run_tool=Tools()).exists()


def test_a_daemon_that_does_not_answer_is_named_with_what_it_said() -> None:
    with pytest.raises(ToolError, match=r"(?s)docker doesn't answer: start it.*what it said"):
        KindCluster("trial", run_tool=Tools(fails="docker info")).exists()
