from collections.abc import Sequence
from pathlib import Path

import pytest

from aistack.errors import ToolError
from aistack.images import builders
from aistack.images.builders import Buildah, Docker, build_options, pick_builder
from tests.unit.images.folders import add_component, plan_of


class Commands:
    """Stands for running programs: records commands, answers from a table by their beginning."""

    def __init__(self, answers: dict[str, str] | None = None) -> None:
        self.ran: list[str] = []
        self._answers = answers or {}

    def __call__(self, command: Sequence[str], *, env: object = None, log: Path | None = None) -> str:
        line = " ".join(command)
        self.ran.append(line)
        for start, answer in self._answers.items():
            if line.startswith(start):
                return answer
        raise ToolError(f"{line}: no such image")


def test_options_name_the_inputs_and_lend_files_as_secrets(tmp_path: Path) -> None:
    add_component(tmp_path, "mlflow", "FROM debian:13\n")
    step = plan_of(tmp_path).steps[0]
    line = " ".join(build_options(step, {"ca": Path("/ca.pem"), "apt": Path("/apt.conf")}))
    assert f"--tag registry.aistack.dev/mlflow:2.0-1 --label dev.aistack.inputs={step.inputs}" in line
    assert "--secret id=apt,src=/apt.conf --secret id=ca,src=/ca.pem" in line
    assert line.endswith("--build-arg SSL_CERT_FILE=/run/ca.crt")


def test_without_host_certificates_none_are_pointed_at(tmp_path: Path) -> None:
    add_component(tmp_path, "mlflow", "FROM debian:13\n")
    assert "--build-arg" not in build_options(plan_of(tmp_path).steps[0], {})


def test_both_build_the_folder_of_the_containerfile(tmp_path: Path) -> None:
    context = add_component(tmp_path, "mlflow", "FROM debian:13\n")
    step = plan_of(tmp_path).steps[0]
    for builder, fixed in ((Buildah, "--timestamp 0"), (Docker, "--no-cache")):
        run = Commands({builder.name: ""})
        builder(run).build(step, {}, tmp_path / "log", fresh=True)
        assert run.ran[0].endswith(f" {context}")
        assert fixed in run.ran[0]


@pytest.mark.parametrize("builder", [Buildah, Docker])
def test_an_image_that_is_not_there_has_no_inputs_and_no_platform(builder: type[Buildah] | type[Docker]) -> None:
    assert builder(Commands()).inputs_of("registry.aistack.dev/mlflow:1") == ""
    assert builder(Commands()).platform_of("docker.io/library/debian:trixie-slim") == ""


@pytest.mark.parametrize("builder", [Buildah, Docker])
def test_the_platform_of_an_image_is_read_from_its_store(builder: type[Buildah] | type[Docker]) -> None:
    run = Commands({builder.name: "linux/arm64\n"})
    assert builder(run).platform_of("docker.io/library/debian:trixie-slim") == "linux/arm64"
    assert "Architecture" in run.ran[0]


def test_buildah_makes_a_base_of_a_root_file_system() -> None:
    run = Commands({"buildah from": "working-container\n", "buildah": ""})
    Buildah(run).import_rootfs(Path("/rootfs.tar"), "docker.io/library/debian:trixie-slim", "linux/arm64")
    assert run.ran[1] == "buildah add --quiet working-container /rootfs.tar /"
    assert "--os linux --arch arm64" in run.ran[2]
    assert run.ran[-1].endswith("working-container docker.io/library/debian:trixie-slim")


def test_docker_pushes_under_the_new_name() -> None:
    run = Commands({"docker": ""})
    Docker(run).push("registry.aistack.dev/a:1", "registry.example.com/a:1")
    assert run.ran == [
        "docker tag registry.aistack.dev/a:1 registry.example.com/a:1",
        "docker push --quiet registry.example.com/a:1",
    ]


@pytest.mark.parametrize(
    ("installed", "answers", "engine", "expected"),
    [
        pytest.param(
            {"docker", "buildah"},
            {"docker version": "28.0", "docker buildx": "v0.30"},
            "auto",
            "docker",
            id="a daemon answers",
        ),
        pytest.param(
            {"docker", "buildah"}, {"docker version": "28.0"}, "auto", "buildah", id="docker without BuildKit"
        ),
        pytest.param({"docker", "buildah"}, {}, "auto", "buildah", id="docker without a daemon"),
        pytest.param({"buildah"}, {}, "auto", "buildah", id="no docker"),
        pytest.param({"docker", "buildah"}, {"docker version": "28.0"}, "buildah", "buildah", id="asked for buildah"),
    ],
)
def test_which_program_builds(
    monkeypatch: pytest.MonkeyPatch,
    installed: set[str],
    answers: dict[str, str],
    engine: builders.Engine,
    expected: str,
) -> None:
    monkeypatch.setattr(builders, "available", installed.__contains__)
    assert pick_builder(engine, Commands(answers)).name == expected


def test_with_neither_program_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builders, "available", lambda program: False)
    with pytest.raises(ToolError, match="apt-get install buildah"):
        pick_builder("auto", Commands())
