"""From a folder to a piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from aistack.catalog.loader import load_parts, part_digests
from aistack.catalog.pieces import Piece
from aistack.catalog.tiers import tiers_of
from aistack.objects.artifact import Reference


@dataclass(frozen=True)
class Wanted:
    """A piece to be had."""

    name: str
    reference: Reference
    replaces: frozenset[str] = frozenset()
    makes: tuple[str, ...] | None = None
    """Kinds that its templates may make; None for all that templates may."""


def load_piece(root: Path, wanted: Wanted) -> Piece:
    """Load a piece from its folder.

    Raises:
        CatalogError: a file of it is wrong.
    """
    components, contracts = load_parts(root)
    components = {name: replace(component, makes=wanted.makes) for name, component in components.items()}
    tiers = tiers_of(root, components)
    digests = part_digests(components, contracts)
    return Piece(wanted.name, str(wanted.reference), components, contracts, digests, tiers, wanted.replaces)
