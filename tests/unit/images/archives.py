"""Small docker-archives, layer by layer."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

Layer = Mapping[str, bytes]
"""Contents of files by path; ``.wh.NAME`` hides what lower layers have."""


def docker_archive(target: Path, layers: Sequence[Layer], labels: Mapping[str, str] | None = None) -> None:
    """Write an archive as ``docker save`` and buildah do."""
    packed = [_tar(layer) for layer in layers]
    digests = [hashlib.sha256(layer).hexdigest() for layer in packed]
    root = {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]}
    config = json.dumps({"config": {"Labels": dict(labels or {})}, "rootfs": root}).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    names = [f"{digest}.tar" for digest in digests]
    manifest = json.dumps([{"Config": name, "RepoTags": [], "Layers": names}]).encode()
    target.write_bytes(_tar({"manifest.json": manifest, name: config, **dict(zip(names, packed, strict=True))}))


def labels_of(archive: Path) -> dict[str, str]:
    """Return an archive's labels."""
    with tarfile.open(archive) as outer:
        files = {member.name: outer.extractfile(member) for member in outer}
        manifest = json.load(files["manifest.json"])  # type: ignore[arg-type]  # a file
        labels: dict[str, str] = json.load(files[manifest[0]["Config"]])["config"]["Labels"]  # type: ignore[arg-type]
        return labels


def _tar(files: Layer) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
