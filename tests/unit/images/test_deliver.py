from collections.abc import Sequence
from pathlib import Path

import pytest

from aistack.errors import ToolError
from aistack.images import build, load, push
from tests.unit.images.folders import RecordingBuilder, add_base, add_component, plan_of, workshop

PYTHON = "registry.aistack.dev/python:1.0-1"
MLFLOW = "registry.aistack.dev/mlflow:2.0-1"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    add_base(tmp_path, "python", "FROM debian:13\n", runs=False)
    add_component(tmp_path, "mlflow", f"FROM {PYTHON}\n")
    list(build(plan_of(tmp_path), workshop(tmp_path, RecordingBuilder())))
    return tmp_path


def test_only_images_that_pods_run_are_loaded(built: Path) -> None:
    ran: list[str] = []

    def record(command: Sequence[str]) -> str:
        ran.append(" ".join(command))
        return ""

    lines = [str(event) for event in load(plan_of(built), cluster="aistack", run_tool=record)]
    archive = plan_of(built).step("mlflow/server").archive
    assert ran == [f"kind load image-archive --name aistack {archive}"]
    assert lines[0] == "mlflow/server: loading"


def test_push_puts_the_registry_in_front_and_needs_no_earlier_store(built: Path) -> None:
    builder = RecordingBuilder()
    list(push(plan_of(built), workshop(built, builder), registry="registry.example.com/ai/"))
    assert builder.calls == [f"restore {MLFLOW}", f"push {MLFLOW} registry.example.com/ai/mlflow:2.0-1"]


def test_what_is_not_built_can_not_be_loaded(tmp_path: Path) -> None:
    add_component(tmp_path, "mlflow", "FROM debian:13\n")
    with pytest.raises(ToolError, match="not built yet: mlflow/server; run 'aistack images build' first"):
        list(load(plan_of(tmp_path)))
