"""What kind's nodes have."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from aistack.errors import ToolError
from aistack.images.nodes import identity, nodes, read_listing

CONFIG, OTHER = "a" * 64, "b" * 64
LISTING = f"""\
REF                            TYPE         DIGEST          SIZE     PLATFORMS   LABELS
registry.aistack.dev/a:1       vnd.docker   sha256:{"1" * 64} 3.1 MiB  linux/amd64 io.cri-containerd.image=managed
registry.aistack.dev/broken:1  vnd.docker   sha256:{"2" * 64} 3.1 MiB  linux/amd64 -
sha256:{CONFIG}                vnd.docker   sha256:{"1" * 64} 3.1 MiB  linux/amd64 io.cri-containerd.image=managed
"""


def archive(path: Path, config: str) -> Path:
    manifest = json.dumps([{"Config": config, "RepoTags": ["registry.aistack.dev/a:1"], "Layers": []}]).encode()
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(manifest)
        tar.addfile(entry, io.BytesIO(manifest))
    return path


def test_an_image_is_its_name_and_its_configuration() -> None:
    assert read_listing(LISTING) == {("registry.aistack.dev/a:1", CONFIG)}, "a name alone is no image that pods can use"


@pytest.mark.parametrize("config", [f"{CONFIG}.json", f"blobs/sha256/{CONFIG}"], ids=["buildah", "docker"])
def test_an_archive_tells_which_image_it_holds(tmp_path: Path, config: str) -> None:
    assert identity(archive(tmp_path / "a.tar", config)) == ("registry.aistack.dev/a:1", CONFIG)


@pytest.mark.parametrize("text", [b"", b"no archive at all"])
def test_what_is_no_archive_is_told(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(text)
    with pytest.raises(ToolError, match=r"a.tar is no image archive"):
        identity(tmp_path / "a.tar")


def test_a_cluster_that_is_not_there_is_told() -> None:
    with pytest.raises(ToolError, match="no kind cluster is named 'nosuch'"):
        nodes("nosuch", lambda command: "")
