"""Pieces that a user names: folders on this machine, and artifacts that are pulled with the user's own logins."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from aistack.catalog.models import Catalog, Component
from aistack.catalog.pieces import Piece, merge
from aistack.catalog.places import keep_for_charts
from aistack.errors import InvalidError
from aistack.objects.artifact import FOLDER, Reference, parse_reference
from aistack.pieces.artifact import fetch, open_piece, to_artifact, unpack_piece
from aistack.pieces.checking import Findings
from aistack.pieces.loading import Wanted, load_piece
from aistack.sources.credentials import user_logins
from aistack.sources.oci import folders_of
from aistack.sources.registry import Access

_NOWHERE = Reference("folder.invalid", "piece", "folder")
"""The reference of what is in no registry."""


def with_pieces(base: Catalog, named: Iterable[str]) -> Catalog:
    """Return a catalog with the pieces that a user names; each takes the place of what has its names.

    Args:
        base: the catalog without them.
        named: folders, and references of artifacts.

    Raises:
        AIStackError: one can't be had, or doesn't fit.
    """
    with ThreadPoolExecutor(1) as thread:  # the caller may have a loop of its own
        pieces = [thread.submit(asyncio.run, _piece(name, base)).result() for name in named]
    merged = merge(base, pieces)
    for name, problem in merged.refused.items():
        raise InvalidError(f"--piece {name}: {problem}")
    return merged.catalog


async def _piece(name: str, base: Catalog) -> Piece:
    if not (folder := Path(name)).is_dir():
        reference = parse_reference(name)
        piece, _ = await obtain(Wanted(name, reference), Access(user_logins()), base, own=True)
        return piece
    (packed,) = folders_of(to_artifact(folder), FOLDER)
    scratch = Path(tempfile.mkdtemp(prefix="aistack-piece-"))
    loaded: Sequence[Component] = ()
    try:
        unpack_piece(name, packed, scratch / "piece")
        piece = _in_place(load_piece(scratch / "piece", Wanted(name, _NOWHERE)), base)
        loaded = tuple(piece.components.values())
        return piece
    finally:
        keep_for_charts(scratch, loaded)


async def obtain(wanted: Wanted, access: Access, base: Catalog, *, own: bool = False) -> tuple[Piece, Findings]:
    """Fetch a piece and check it, as an operator with this catalog would.

    Args:
        wanted: which.
        access: how its registry is reached.
        base: the catalog without pieces.
        own: whether it may take the place of whatever has its names.

    Raises:
        ArtifactError: it isn't what was asked for, isn't safe, or something in it is wrong.
        RegistryError: the registry refused, or didn't answer in time.
    """
    packed = await fetch(wanted.reference, access)
    asked = replace(wanted, replaces=frozenset(_taken(packed, base))) if own else wanted
    return await open_piece(asked, packed, base, [])


def _taken(packed: bytes, base: Catalog) -> Iterable[str]:
    """Return the parts of the catalog whose names a packed piece has."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "piece"
        unpack_piece("the artifact", packed, root)
        found = {f"{folder.parent.name}/{folder.name}" for folder in root.glob("*/*") if folder.is_dir()}
        return found & base.parts.keys()


def _in_place(piece: Piece, base: Catalog) -> Piece:
    return replace(piece, replaces=piece.parts & base.parts.keys())
