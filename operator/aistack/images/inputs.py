"""Reads what images are made of: folders into hashes, Containerfiles into bases."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from pathlib import Path

from aistack.images.containerfile import bases_of
from aistack.images.context import files_of, is_executable
from aistack.images.models import Image, Source

_GO_MODULES = 200
"""Packages of Python that compiling a program in Go takes as long as."""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def host_platform() -> str:
    """Return this machine's platform as registries name it, e.g. ``linux/amd64``."""
    machine = platform.machine().lower()
    return f"linux/{_MACHINES.get(machine, machine)}"


def sources_of(images: Iterable[Image]) -> dict[str, Source]:
    """Read the folders of images, by name.

    Raises:
        CatalogError: a Containerfile doesn't say what it stands on.
    """
    return {image.name: _read(image) for image in images}


def _read(image: Image) -> Source:
    text = image.containerfile.read_text("utf-8")
    bases = bases_of(text, str(image.containerfile))
    locked = (image.folder / "requirements.txt", image.folder / "package-lock.json")
    packages = sum(_packages(file) for file in locked if file.is_file()) + _GO_MODULES * text.count("go install ")
    return Source(bases, _digest(image), packages)


def _packages(lock: Path) -> int:
    text = lock.read_text("utf-8")
    return text.count('"integrity"') if lock.suffix == ".json" else text.count("==")


def _digest(image: Image) -> str:
    """Hash names, execution bits and bytes of files; not dates or owners, which git doesn't keep."""
    content = hashlib.sha256(image.containerfile.name.encode())
    for file in files_of(image):
        content.update(f"\0{file.relative_to(image.context).as_posix()}\0{is_executable(file)}\0".encode())
        content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()
