"""What a build sees: an image's own folder or, where it is made of the checkout's sources, a copy of just those."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from aistack.images.models import Image


def is_executable(file: Path) -> bool:
    """Tell whether a file may be run: all of its mode that git keeps."""
    return bool(file.stat().st_mode & 0o100)


def files_of(image: Image) -> list[Path]:
    """Return every file that an image is made of, in order; what Python leaves behind is none."""
    found = {file for top in image.tops for file in ([top] if top.is_file() else top.rglob("*"))}
    return sorted(f for f in found if f.is_file() and "__pycache__" not in f.parts)


def gather(image: Image, scratch: Path) -> Image:
    """Return the image with a folder that holds what was hashed and nothing else, so that both can't differ.

    Args:
        image: one with ``sources``; another one is returned as it is.
        scratch: a temporary folder.
    """
    if not image.sources:
        return image
    target = scratch / image.stem
    shutil.rmtree(target, ignore_errors=True)
    for file in files_of(image):
        copy = target / file.relative_to(image.context)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        # Whatever the umask of who checked it out: the image's files are the same.
        copy.chmod(0o755 if is_executable(file) else 0o644)
    return replace(image, root=target, containerfile=target / image.containerfile.relative_to(image.context))
