from pathlib import Path

import pytest

from aistack.errors import ToolError
from aistack.images import Done, build, discover, plan_all, prune, sources_of, states
from aistack.images.store import estimate, note_timing, read_timings
from tests.unit.images.folders import RecordingBuilder, add_base, add_component, plan_of, workshop

PYTHON = "registry.aistack.dev/python:1.0-1"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    add_base(tmp_path, "python", "FROM debian:13\n", runs=False)
    add_component(tmp_path, "mlflow", f"FROM {PYTHON}\n")
    return tmp_path


def did(root: Path, builder: RecordingBuilder, *, fresh: bool = False) -> list[str]:
    events = build(plan_of(root), workshop(root, builder), fresh=fresh)
    return [event.did for event in events if isinstance(event, Done)]


def test_bases_are_pulled_then_images_built_in_order(catalog: Path) -> None:
    builder = RecordingBuilder()
    assert did(catalog, builder) == ["built", "built"]
    assert builder.calls == ["pull debian:13", "build python", "build mlflow/server"]
    assert all(state.built and state.size for state in states(plan_of(catalog)))


def test_unchanged_images_touch_no_builder(catalog: Path) -> None:
    did(catalog, RecordingBuilder())
    again = RecordingBuilder()
    assert did(catalog, again) == ["unchanged", "unchanged"]
    assert again.calls == []


def test_a_parent_comes_from_its_archive_where_the_store_lost_it(catalog: Path) -> None:
    did(catalog, RecordingBuilder())
    (catalog / "components/mlflow/image/Containerfile").write_text(f"FROM {PYTHON}\nRUN true\n")
    builder = RecordingBuilder()
    assert did(catalog, builder) == ["unchanged", "built"]
    assert builder.calls == [f"restore {PYTHON}", "build mlflow/server"]


def test_an_outdated_parent_in_the_store_is_replaced(catalog: Path) -> None:
    did(catalog, RecordingBuilder())
    (catalog / "components/mlflow/image/Containerfile").write_text(f"FROM {PYTHON}\nRUN true\n")
    builder = RecordingBuilder(store={PYTHON: "other inputs"})
    did(catalog, builder)
    assert f"restore {PYTHON}" in builder.calls


def test_a_base_of_another_platform_is_fetched_again(tmp_path: Path) -> None:
    add_base(tmp_path, "python", "FROM debian:13\n", runs=False)
    builder = RecordingBuilder()
    for platform in ("linux/amd64", "linux/arm64"):
        list(build(plan_of(tmp_path, platform), workshop(tmp_path, builder)))
    assert builder.calls == ["pull debian:13", "build python"] * 2
    assert builder.platforms == {"debian:13": "linux/arm64"}


def test_fresh_fetches_bases_and_builds_everything_again(catalog: Path) -> None:
    builder = RecordingBuilder()
    did(catalog, builder)
    builder.calls.clear()
    assert did(catalog, builder, fresh=True) == ["built", "built"]
    assert builder.calls[0] == "pull debian:13"


def test_a_failed_build_leaves_no_archive_and_is_tried_again(catalog: Path) -> None:
    with pytest.raises(ToolError):
        did(catalog, RecordingBuilder(failing="mlflow/server"))
    assert [state.built for state in states(plan_of(catalog))] == [True, False]
    assert did(catalog, RecordingBuilder()) == ["unchanged", "built"]


def test_without_a_registry_only_debian_can_be_had(catalog: Path) -> None:
    events = build(plan_of(catalog), workshop(catalog, RecordingBuilder(), registry=False))
    with pytest.raises(ToolError, match="debian:13 can't be pulled from here and can't be made from packages"):
        list(events)


def test_events_read_as_lines(catalog: Path) -> None:
    note_timing(workshop(catalog, RecordingBuilder()).cache, "python", 12.3)
    lines = [str(event) for event in build(plan_of(catalog), workshop(catalog, RecordingBuilder()))]
    assert "python: building with recorder (about 12 s)" in lines
    assert any(line.startswith("mlflow/server: built") for line in lines)


def test_the_first_estimate_grows_with_the_locked_packages(catalog: Path) -> None:
    lean = estimate(plan_of(catalog).step("mlflow/server"), {})
    lock = catalog / "components/mlflow/image/requirements.txt"
    lock.write_text("a==1 \\\n    --hash=sha256:0\nb==2\n")
    locked = estimate(plan_of(catalog).step("mlflow/server"), {})
    assert locked > lean
    file = catalog / "components/mlflow/image/Containerfile"
    file.write_text(file.read_text() + "RUN go install example.com/tool@v1\n")
    assert estimate(plan_of(catalog).step("mlflow/server"), {}) > locked + 100, "what is compiled takes minutes"


def test_damaged_timings_count_as_none(tmp_path: Path) -> None:
    (tmp_path / "timings.json").write_text("{")
    assert read_timings(tmp_path) == {}


def test_prune_keeps_every_platform_and_what_others_built(tmp_path: Path) -> None:
    platforms = ["linux/amd64", "linux/arm64"]
    add_base(tmp_path, "python", "FROM debian:13\n", runs=False)
    add_component(tmp_path, "mlflow", f"FROM {PYTHON}\n", platforms=platforms)
    images = discover(tmp_path)
    plans = plan_all(images, sources_of(images), cache=tmp_path / "cache")
    assert [plan.steps[0].platform for plan in plans] == platforms
    for plan in plans:
        list(build(plan, workshop(tmp_path, RecordingBuilder())))
    old, foreign = (tmp_path / "cache" / f"{name}-2.0-1-000000000000.tar" for name in ("mlflow", "of-another-catalog"))
    old.write_text("old")
    foreign.write_text("foreign")
    assert prune(plans) == [old]
    assert foreign.exists()
    assert all(state.built for plan in plans for state in states(plan))
