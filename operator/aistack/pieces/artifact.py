"""From an artifact to a piece: fetched, unpacked where it harms nobody, checked, loaded."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from aistack.catalog.models import Catalog, Component
from aistack.catalog.pieces import Piece
from aistack.catalog.places import keep_for_charts
from aistack.errors import ArtifactError
from aistack.objects.artifact import FOLDER, PIECE, Reference
from aistack.pieces.checking import Findings, check
from aistack.pieces.loading import Wanted, load_piece
from aistack.sources.archive import Limits, pack, unpack
from aistack.sources.oci import Artifact, Blob, folders_of, pull
from aistack.sources.registry import Access

PACKED, UNPACKED = 700 * 2**10, Limits(entries=500, size=4 * 2**20, depth=8)
"""Bytes of a piece as it is pulled (a ConfigMap must hold it), and what it may unpack to."""
PARTS = ("components", "contracts")
_BESIDE = {"README.md", "LICENSE"}
"""What may lie beside them."""


async def fetch(reference: Reference, access: Access) -> bytes:
    """Fetch the packed folder of a piece.

    Raises:
        ArtifactError: it isn't what was asked for, or no piece.
        RegistryError: the registry refused, or didn't answer in time.
    """
    _, artifact = await pull(reference, access, PACKED)
    if artifact.type != PIECE:
        problem = f"is an artifact of type {artifact.type!r:.100}, not {PIECE}"
        raise ArtifactError(str(reference), problem, "name one that 'aistack component push' made")
    packed = list(folders_of(artifact, FOLDER))
    if len(packed) != 1:
        raise ArtifactError(str(reference), f"has {len(packed)} folders, not one", "push it again")
    return packed[0]


async def open_piece(
    wanted: Wanted, packed: bytes, base: Catalog, others: Sequence[Piece], *, checked: bool = False
) -> tuple[Piece, Findings]:
    """Unpack, check and load a piece.

    Args:
        wanted: which it is.
        packed: its folder.
        base: the catalog without pieces.
        others: the pieces in use.
        checked: whether this very folder passed before.

    Returns:
        The piece, and what the check found of rights that it takes.

    Raises:
        ArtifactError: it isn't safe, or something in it is wrong.
    """
    scratch = Path(tempfile.mkdtemp(prefix="aistack-piece-"))
    loaded: Sequence[Component] = ()
    try:
        root = scratch / "piece"
        await asyncio.to_thread(unpack_piece, str(wanted.reference), packed, root)
        found = Findings() if checked else await check(root, wanted, base, others)
        if found.problems:
            raise ArtifactError(str(wanted.reference), "; ".join(found.problems), "correct it, and push it again")
        piece = await asyncio.to_thread(load_piece, root, wanted)
        loaded = tuple(piece.components.values())
        return piece, found
    finally:
        keep_for_charts(scratch, loaded)


def unpack_piece(name: str, packed: bytes, root: Path) -> None:
    """Unpack a piece's folder.

    Args:
        name: what it is called in messages.
        packed: the folder.
        root: where to.

    Raises:
        ArtifactError: it isn't safe, or more than a piece.
    """
    unpack(name, packed, root, UNPACKED)
    if strange := sorted({path.name for path in root.iterdir()} - {*PARTS, *_BESIDE}):
        problem = f"holds {strange[0]!r:.100} beside components/ and contracts/"
        raise ArtifactError(name, problem, "only a release brings profiles and images; leave it out")


def to_artifact(folder: Path) -> Artifact:
    """Pack a folder as an artifact: that of a component, of a contract, or one with several of them.

    Raises:
        ArtifactError: it is none of these, or too large.
    """
    with tempfile.TemporaryDirectory() as scratch:
        packed = pack(_as_catalog(folder, Path(scratch)))
    if len(packed) > PACKED:
        raise ArtifactError(str(folder), f"packs to {len(packed)} bytes, {PACKED} are allowed", "leave out data")
    title = {"org.opencontainers.image.title": folder.resolve().name}
    return Artifact(PIECE, (Blob(FOLDER, packed),), annotations=title)


def _as_catalog(folder: Path, scratch: Path) -> Path:
    """Return a folder with ``components/`` and ``contracts/``, made around one of these where it is one."""
    for part, file in (("components", "component.yaml"), ("contracts", "contract.yaml")):
        if (folder / file).is_file():
            (scratch / part).mkdir()
            _copy(folder, scratch / part / folder.resolve().name)
            return scratch
    if any((folder / part).is_dir() for part in PARTS):
        return folder
    remedy = "name the folder of a component, of a contract, or one with components/ and contracts/ in it"
    raise ArtifactError(str(folder), "has no component.yaml and no contract.yaml", remedy)


def _copy(folder: Path, target: Path) -> None:
    unpack(str(folder), pack(folder), target, UNPACKED)
