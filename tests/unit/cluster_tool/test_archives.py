"""Image archives: written the same every time, read without being unpacked, refused with a reason."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.cluster import archives
from tests.cluster.archives import Image, Link
from tests.cluster.common.errors import ClusterError

DIGEST = "sha256:" + "ab" * 32


def write_tar(path: Path, files: dict[str, object]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def oci_layout(annotations: dict[str, str]) -> dict[str, object]:
    index = {"manifests": [{"digest": "sha256:cd", "annotations": annotations}]}
    return {"index.json": index, "blobs/sha256/cd": {"config": {"digest": DIGEST}}}


def docker_layout(config: str, tags: list[str] | None) -> dict[str, object]:
    return {"manifest.json": [{"Config": config, "RepoTags": tags, "Layers": []}]}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_text("#!/bin/sh\n")
    return path


def write_image(target: Path, program: Path) -> Path:
    layer: dict[str, Path | Link | None] = {"usr/bin/program": program, "usr/bin/alias": Link("program"), "tmp": None}
    archives.write(target, "registry.aistack.dev/x:1", layer, {"Entrypoint": ["/usr/bin/program"]})
    return target


def test_the_same_contents_are_the_same_bytes(tmp_path: Path, program: Path) -> None:
    one, other = (write_image(tmp_path / name, program) for name in ("one.tar", "other.tar"))
    assert one.read_bytes() == other.read_bytes()


def test_a_layer_has_files_links_and_the_folders_above_them(tmp_path: Path, program: Path) -> None:
    with tarfile.open(write_image(tmp_path / "image.tar", program)) as image:
        layer = image.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=layer) as members:
            kinds = {member.name: member.type for member in members}
            assert members.getmember("usr/bin/alias").linkname == "program"
            assert members.getmember("usr/bin/program").mode == 0o755
    assert kinds == {
        "tmp": tarfile.DIRTYPE,
        "usr": tarfile.DIRTYPE,
        "usr/bin": tarfile.DIRTYPE,
        "usr/bin/alias": tarfile.SYMTYPE,
        "usr/bin/program": tarfile.REGTYPE,
    }


def test_what_is_written_is_read_back_by_name(tmp_path: Path, program: Path) -> None:
    (image,) = archives.read(write_image(tmp_path / "image.tar", program))
    assert image.name == "registry.aistack.dev/x:1"
    assert image.digest.startswith("sha256:")


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(docker_layout(DIGEST[7:] + ".json", ["r.dev/a:1"]), id="docker-archive"),
        pytest.param(docker_layout("blobs/sha256/" + DIGEST[7:], ["r.dev/a:1"]), id="docker-archive of newer Docker"),
        pytest.param(oci_layout({"org.opencontainers.image.ref.name": "r.dev/a:1"}), id="oci-archive"),
        pytest.param(oci_layout({"io.containerd.image.name": "r.dev/a:1"}), id="oci-archive of containerd"),
    ],
)
def test_an_archive_names_its_images(tmp_path: Path, layout: dict[str, object]) -> None:
    assert archives.read(write_tar(tmp_path / "image.tar", layout)) == [Image("r.dev/a:1", DIGEST)]


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        pytest.param({"README": "hello"}, "not an image archive", id="another tar"),
        pytest.param(docker_layout("ab.json", None), "names no image: save it with a tag", id="untagged"),
    ],
)
def test_a_useless_archive_is_refused(tmp_path: Path, layout: dict[str, object], reason: str) -> None:
    with pytest.raises(ClusterError, match=reason):
        archives.read(write_tar(tmp_path / "image.tar", layout))


@pytest.mark.parametrize("content", [None, b"", b"not a tar"], ids=["missing", "empty", "text"])
def test_what_is_no_tar_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "image.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ClusterError, match="not an image archive"):
        archives.read(path)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        pytest.param("debian", "docker.io/library/debian:latest", id="short"),
        pytest.param("kindest/node:v1", "docker.io/kindest/node:v1", id="Docker Hub organisation"),
        pytest.param("localhost/x:1", "localhost/x:1", id="local"),
        pytest.param("registry:5000/x", "registry:5000/x:latest", id="port, no tag"),
        pytest.param("registry.aistack.dev/a/b:1", "registry.aistack.dev/a/b:1", id="full"),
        pytest.param("r.dev/a@sha256:ab", "r.dev/a@sha256:ab", id="digest"),
    ],
)
def test_names_are_completed_as_containerd_does(name: str, full: str) -> None:
    assert archives.full_name(name) == full


def test_folders_are_opened_and_each_archive_counts_once(tmp_path: Path) -> None:
    one, two = tmp_path / "1.tar", tmp_path / "2.tar"
    for path in (two, one, tmp_path / "notes.txt"):
        path.touch()
    assert archives.find([tmp_path, one]) == [one, two]


def test_a_path_without_archives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"holds no \*\.tar"):
        archives.find([tmp_path])
    with pytest.raises(ClusterError, match="does not exist"):
        archives.find([tmp_path / "x.tar"])
