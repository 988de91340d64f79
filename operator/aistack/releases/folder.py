"""A catalog's folder, as far as stacks are planned from it; packed, and loaded again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from aistack.catalog.loader import PROVING, load_catalog
from aistack.catalog.models import Catalog, Component
from aistack.catalog.places import keep_for_charts
from aistack.sources.archive import Limits, pack, unpack

UNPACKED = Limits(entries=5_000, size=16 * 2**20)
"""What a release may unpack to."""
_NEVER = frozenset({"tests", "image", "__pycache__"})
"""Folders of a component that no plan is made from."""
_ONCE = ("images/runner/image.yaml",)


def pack_catalog(root: Path) -> bytes:
    """Pack what stacks are planned from: the same catalog and the same programs give the same bytes.

    Args:
        root: the catalog's folder.
    """
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch)
        for file in _wanted(root):
            copy = target / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        (target / PROVING).mkdir()
        for program in files("aistack.proving").iterdir():
            if program.name.endswith(".py"):
                (target / PROVING / program.name).write_text(program.read_text("utf-8"), "utf-8")
        return pack(target)


def load_packed(name: str, packed: bytes) -> Catalog:
    """Load a packed catalog.

    Args:
        name: of the release.
        packed: its folder.

    Raises:
        ArtifactError: it isn't safe to unpack.
        CatalogError: this version can't read a file of it.
    """
    scratch = Path(tempfile.mkdtemp(prefix="aistack-release-"))
    loaded: Sequence[Component] = ()
    try:
        unpack(f"release {name}", packed, scratch / "catalog", UNPACKED)
        catalog = load_catalog(scratch / "catalog")
        loaded = tuple(catalog.components.values())
        return replace(catalog, release=name)
    finally:
        keep_for_charts(scratch, loaded)


def _wanted(root: Path) -> Iterator[Path]:
    yield from (root / name for name in _ONCE if (root / name).is_file())
    yield from sorted((root / "profiles").glob("*.yaml"))
    for part in ("components", "contracts"):
        for file in sorted((root / part).rglob("*")):
            inner = file.relative_to(root / part).parts[1:]
            hidden = any(name == "__pycache__" or (name.startswith(".") and name != ".helmignore") for name in inner)
            if file.is_file() and inner and inner[0] not in _NEVER and not hidden:
                yield file
