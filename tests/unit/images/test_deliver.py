from pathlib import Path

import pytest

from aistack.errors import ToolError
from aistack.images import build, deliver, load, push
from tests.unit.images.folders import RecordingBuilder, add_base, add_component, plan_of, workshop

PYTHON = "registry.aistack.dev/python:1.0-1"
MLFLOW = "registry.aistack.dev/mlflow:2.0-1"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    add_base(tmp_path, "python", "FROM debian:13\n", runs=False)
    add_component(tmp_path, "mlflow", f"FROM {PYTHON}\n")
    list(build(plan_of(tmp_path), workshop(tmp_path, RecordingBuilder())))
    return tmp_path


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        pytest.param({"one": set(), "two": set()}, "--nodes=one,two ", id="no node has it"),
        pytest.param({"one": {(MLFLOW, "c")}, "two": {(MLFLOW, "older")}}, "--nodes=two ", id="one has it"),
        pytest.param({"one": {(MLFLOW, "c")}}, "", id="all have it"),
    ],
)
def test_images_that_pods_run_are_loaded_where_they_lack(
    built: Path, monkeypatch: pytest.MonkeyPatch, held: dict[str, set[tuple[str, str]]], asked: str
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(deliver, "nodes", lambda cluster, run_tool: list(held))
    monkeypatch.setattr(deliver, "held", lambda node, run_tool: held[node])
    monkeypatch.setattr(deliver, "identity", lambda archive: (MLFLOW, "c"))
    events = load(plan_of(built), cluster="aistack", run_tool=lambda command: ran.append(" ".join(command)))
    lines = [str(event) for event in events]
    archive = plan_of(built).step("mlflow/server").archive
    assert ran == ([f"kind load image-archive --name aistack {asked}{archive}"] if asked else [])
    assert lines[0].startswith("mlflow/server: loading" if asked else "mlflow/server: there already")


def test_push_puts_the_registry_in_front_and_needs_no_earlier_store(built: Path) -> None:
    builder = RecordingBuilder()
    list(push(plan_of(built), workshop(built, builder), registry="registry.example.com/ai/"))
    assert builder.calls == [f"restore {MLFLOW}", f"push {MLFLOW} registry.example.com/ai/mlflow:2.0-1"]


def test_what_is_not_built_can_not_be_loaded(tmp_path: Path) -> None:
    add_component(tmp_path, "mlflow", "FROM debian:13\n")
    with pytest.raises(ToolError, match="not built yet: mlflow/server; run 'aistack images build' first"):
        list(load(plan_of(tmp_path)))
