"""Rendered objects as a folder of files, one each, for a Git repository that a GitOps tool reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from aistack.cli.output import yaml_text
from aistack.errors import InvalidError
from aistack.objects.manifest import Manifest

HEADER = "# Written by 'aistack render --split'; don't edit.\n"
"""Begins every file, and tells which files may be replaced or removed."""


def write_split(folder: Path, objects: Iterable[Manifest]) -> tuple[int, int]:
    """Write each object to a file of its own, and remove files of former runs that this one doesn't write.

    Args:
        folder: made if it isn't there.
        objects: what to write.

    Returns:
        How many files there are now, and how many were removed.

    Raises:
        InvalidError: a file of somebody else's is in the way; nothing is written then.
    """
    texts = {folder / path_of(manifest): HEADER + yaml_text([manifest]) for manifest in objects}
    for path in texts:
        if path.exists() and not _is_ours(path):
            raise InvalidError(
                f"{path} wasn't written by 'aistack render --split'; move it away, or use another folder"
            )
    stale = [path for path in _ours(folder) if path not in texts]
    for path in stale:
        path.unlink()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return len(texts), len(stale)


def path_of(manifest: Manifest) -> Path:
    """Return where an object is written: ``<namespace>/<kind>-<name>.yaml``; names are unique by kind."""
    metadata = manifest["metadata"]
    return Path(metadata["namespace"], f"{manifest['kind'].lower()}-{metadata['name']}.yaml")


def _ours(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*/*.yaml") if _is_ours(path))


def _is_ours(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as opened:
        return opened.readline() == HEADER
