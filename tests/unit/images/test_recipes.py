"""What every Containerfile of the catalog keeps to; the images themselves are run in tests/e2e."""

import re
from pathlib import Path

import pytest

from aistack.images import Image, discover
from aistack.images.containerfile import bases_of
from tests.chart import helm

IMAGES = {image.reference: image for image in discover(Path(__file__).parents[3] / "manifests")}
LOCKS = {
    f"{image.name}:{lock.name}": lock
    for image in IMAGES.values()
    for lock in sorted(image.folder.glob("*requirements.txt")) + sorted(image.folder.glob("package-lock.json"))
}
EXTERNAL = "docker.io/library/debian:trixie-slim"


def final_stage(image: Image) -> tuple[str, str]:
    """Return the last stage's base and its text."""
    text = image.containerfile.read_text()
    begin = list(re.finditer(r"^FROM (.*)$", text, re.MULTILINE))[-1]
    arguments = "".join(f"{line}\n" for line in text.splitlines() if line.startswith("ARG ") and "=" in line)
    base = "" if begin[1] == "scratch" else bases_of(f"{arguments}FROM {begin[1]}\n")[0]
    return base, text[begin.end() :]


def user_of(image: Image) -> str:
    base, stage = final_stage(image)
    users = re.findall(r"^USER (.*)$", stage, re.MULTILINE)
    return users[-1] if users else user_of(IMAGES[base])


@pytest.mark.parametrize("image", [i for i in IMAGES.values() if i.runs], ids=lambda image: image.name)
def test_an_image_that_runs_has_a_numeric_user_that_is_not_root(image: Image) -> None:
    assert int(user_of(image)) >= 1000


@pytest.mark.parametrize("image", IMAGES.values(), ids=lambda image: image.name)
def test_an_image_stands_on_ours_or_on_debian(image: Image) -> None:
    assert set(bases_of(image.containerfile.read_text())) <= {EXTERNAL, *IMAGES}


@pytest.mark.parametrize("image", IMAGES.values(), ids=lambda image: image.name)
def test_an_image_says_what_it_is(image: Image) -> None:
    for label in ("title", "description", "version", "licenses", "source"):
        assert f"org.opencontainers.image.{label}=" in image.containerfile.read_text()


@pytest.mark.parametrize("image", [i for i in IMAGES.values() if i.runs], ids=lambda image: image.name)
def test_no_build_tools_are_in_the_final_stage(image: Image) -> None:
    base, stage = final_stage(image)
    assert "python-build" not in base
    assert not re.search(r"\b(gcc|build-essential|npm|uv) ", stage)


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_a_lock_pins_by_hash_and_names_no_index(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?://(?!.*funding)[^\s\"]*(\.whl|\.tgz|\.tar\.gz|/simple)", text)
    if lock.suffix == ".txt":
        pins = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert pins
        assert all("--hash=sha256:" in pin for pin in pins)


@pytest.mark.parametrize("lock", [lock for lock in LOCKS.values() if lock.with_suffix(".in").is_file()], ids=str)
def test_a_lock_holds_what_is_asked_for(lock: Path) -> None:
    asked = re.findall(r"^([\w.-]+)(?:\[.*\])?(==\S+)?", lock.with_suffix(".in").read_text(), re.MULTILINE)
    locked = lock.read_text()
    assert [
        name for name, pin in asked if not re.search(rf"^{name}{re.escape(pin or '==')}", locked, re.MULTILINE)
    ] == []


def test_every_list_of_packages_says_what_it_is_made_from() -> None:
    texts = [lock for lock in LOCKS.values() if lock.suffix == ".txt"]
    made = [lock for lock in texts if "Made from uv.lock by `make generate`" in lock.read_text()]
    assert {lock.parent.name for lock in made} == {"operator"}
    assert [lock for lock in texts if lock not in made and not lock.with_suffix(".in").is_file()] == []


def test_the_operator_s_image_has_no_development_tools() -> None:
    packages = re.findall(r"^([\w-]+)==", LOCKS["operator:requirements.txt"].read_text(), re.MULTILINE)
    assert {"kopf", "kubernetes", "typer"} <= set(packages)
    assert not {"pytest", "mypy", "ruff", "hatchling", "uv", "boto3"} & set(packages)


def test_charts_are_rendered_by_the_helm_that_tests_run() -> None:
    text = (Path(__file__).parents[3] / "manifests/images/helm/Containerfile").read_text()
    assert f"helm.sh/helm/v4/cmd/helm@{helm.VERSION}" in text
    assert f'version="{helm.VERSION.removeprefix("v")}"' in text
