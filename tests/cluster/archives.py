"""Image archives: writing docker-archives, and reading which images a docker- or oci-archive holds."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tests.cluster.common.errors import ClusterError
from tests.cluster.common.paths import arch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What an image's programs find on PATH unless it says otherwise."""
_EPOCH = "1970-01-01T00:00:00Z"
_NAME_ANNOTATION = "io.containerd.image.name"
_REF_ANNOTATION = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Image:
    """One name and what it stands for.

    Attributes:
        name: the full reference, registry included.
        digest: the digest of the image's configuration, which is the image's identity on a node.
    """

    name: str
    digest: str


def full_name(name: str) -> str:
    """A reference with the registry and tag that containerd adds to short ones."""
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}"
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def find(paths: Iterable[Path]) -> list[Path]:
    """The archives among these paths, folders opened, each once, in a stable order.

    Raises:
        ClusterError: a path does not exist, or a folder holds no archive.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.glob("*.tar")) if path.is_dir() else [path]
        if not inside or not path.exists():
            raise ClusterError(f"{path} {'holds no *.tar' if path.exists() else 'does not exist'}")
        found |= dict.fromkeys(file.resolve() for file in inside)
    return list(found)


def read(path: Path) -> list[Image]:
    """The images in an archive, without unpacking it.

    Raises:
        ClusterError: the file is missing or neither a docker-archive nor an oci-archive.
    """
    try:
        with tarfile.open(path) as archive:
            images = _read_open(archive)
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise ClusterError(f"{path} is not an image archive (docker-archive or oci-archive): {error}") from error
    if not images:
        raise ClusterError(f"{path} names no image: save it with a tag, e.g. docker-archive:{path.name}:NAME:TAG")
    return images


def _read_open(archive: tarfile.TarFile) -> list[Image]:
    members = {member.name.removeprefix("./"): member for member in archive.getmembers()}
    if "manifest.json" in members:
        entries = _json(archive, members["manifest.json"])
        pairs = [(tag, entry["Config"]) for entry in entries for tag in entry["RepoTags"] or ()]
        return [Image(full_name(tag), _digest(config)) for tag, config in pairs]
    images = []
    for entry in _json(archive, members["index.json"])["manifests"]:
        names = entry.get("annotations", {})
        if name := names.get(_NAME_ANNOTATION) or names.get(_REF_ANNOTATION):
            blob = members["blobs/" + entry["digest"].replace(":", "/")]
            images.append(Image(full_name(name), _json(archive, blob)["config"]["digest"]))
    return images


def _json(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    content = archive.extractfile(member)
    if content is None:
        raise ValueError(f"{member.name} is not a file")
    return json.load(content)


def _digest(config: str) -> str:
    """A configuration's digest from its file's name in a docker-archive: `HEX.json` or `blobs/sha256/HEX`."""
    return "sha256:" + config.rpartition("/")[2].removesuffix(".json")


@dataclass(frozen=True)
class Link:
    """A symbolic link in a layer."""

    target: str


def write(target: Path, name: str, layer: Mapping[str, Path | Link | None], config: Mapping[str, object]) -> None:
    """Write a docker-archive of one image with one layer, the same bytes for the same contents.

    Args:
        target: the archive to write.
        name: the image's full reference.
        layer: by path without a leading slash: a file to copy, a link, or None for an empty directory.
        config: the image configuration's `config` part, e.g. `{"Entrypoint": ["/pause"]}`.
    """
    layer_path = target.with_suffix(".layer")
    with tarfile.open(layer_path, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(_directories(layer)):
            archive.addfile(_entry(path, tarfile.DIRTYPE))
        for path, source in sorted(layer.items()):
            _add(archive, path, source)
    write_layer(target, name, layer_path, config)
    layer_path.unlink()


def write_layer(target: Path, name: str, layer: Path, config: Mapping[str, object]) -> None:
    """Write a docker-archive of one image whose layer is already a tar; see `write`."""
    with layer.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    image = {
        "architecture": arch(),
        "os": "linux",
        "created": _EPOCH,
        "config": {"Env": [PATH], **config},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": _EPOCH}],
    }
    _write_archive(target, name, json.dumps(image, sort_keys=True).encode(), layer)


def _write_archive(target: Path, name: str, config: bytes, layer: Path) -> None:
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in ((config_name, config), ("manifest.json", json.dumps(manifest).encode())):
            entry = _entry(path, tarfile.REGTYPE)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        _add(archive, "layer.tar", layer)


def _add(archive: tarfile.TarFile, path: str, source: Path | Link | None) -> None:
    if source is None:
        archive.addfile(_entry(path, tarfile.DIRTYPE))
    elif isinstance(source, Link):
        entry = _entry(path, tarfile.SYMTYPE)
        entry.linkname = source.target
        archive.addfile(entry)
    else:
        entry = _entry(path, tarfile.REGTYPE)
        entry.size = source.stat().st_size
        with source.open("rb") as content:
            archive.addfile(entry, content)


def _entry(path: str, kind: bytes) -> tarfile.TarInfo:
    """A member owned by root, runnable, with no time: nothing of the building machine shows."""
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = kind, 0o755
    return entry


def _directories(layer: Iterable[str]) -> set[str]:
    """The directories above a layer's paths that the layer does not name itself."""
    above = {str(parent) for path in layer for parent in PurePosixPath(path).parents}
    return above - set(layer) - {"."}
