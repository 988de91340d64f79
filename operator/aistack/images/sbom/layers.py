"""Reads chosen files of an image's root file system from a docker-archive, layer upon layer."""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aistack.errors import ToolError

Wanted = Callable[[str, int], bool]
"""Tells from path and size whether a file is read."""
Digest = Callable[[str, bytes], bytes]
"""Makes of a file what is kept of it; nothing drops it."""
_GONE, _OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True)
class Unpacked:
    """What was read of an image."""

    config: dict[str, Any]
    """Its configuration, as OCI has it."""
    identity: str
    """SHA-256 of the configuration: the image's ID."""
    files: dict[str, bytes]


def unpack(archive: Path, wanted: Wanted, digest: Digest) -> Unpacked:
    """Read an archive's chosen files.

    Raises:
        ToolError: it is no docker-archive.
    """
    try:
        with tarfile.open(archive) as outer:
            manifest = json.loads(_member(outer, "manifest.json"))[0]
            config = json.loads(_member(outer, manifest["Config"]))
            files: dict[str, bytes] = {}
            for layer in manifest["Layers"]:
                with tarfile.open(fileobj=outer.extractfile(layer), mode="r|*") as inner:
                    _apply(inner, files, wanted, digest)
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        raise ToolError(f"{archive}: can't be read as an image: {error}; build it anew with --fresh") from error
    identity = posixpath.basename(manifest["Config"]).removesuffix(".json")
    return Unpacked(config, identity, files)


def _apply(layer: tarfile.TarFile, files: dict[str, bytes], wanted: Wanted, digest: Digest) -> None:
    """Change what lower layers had as this one says; what it hides, it hides of those below."""
    below = dict(files)
    for member in layer:
        path = posixpath.normpath(member.name).lstrip("/")
        folder, name = posixpath.split(path)
        if name.startswith(_GONE):
            hidden = folder if name == _OPAQUE else posixpath.join(folder, name.removeprefix(_GONE))
            for path in _below(hidden, below):
                files.pop(path, None)
            continue
        if not member.isdir():
            files.pop(path, None)
        if member.isfile() and wanted(path, member.size):
            content = layer.extractfile(member)
            if content and (kept := digest(path, content.read())):
                files[path] = kept


def _below(hidden: str, files: dict[str, bytes]) -> Iterator[str]:
    return (path for path in files if path == hidden or path.startswith(f"{hidden}/"))


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found.read()
