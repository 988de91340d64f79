"""Pieces: components and contracts that an AIComponent adds to a catalog, or puts in the place of its own. Pure.

Nothing is ever replaced by accident: of two sources of one name, the catalog's own wins unless the piece says that it
replaces it, and of two pieces the one that was there first. A piece counts whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from aistack.catalog.models import Catalog, Component, Contract


@dataclass(frozen=True)
class Piece:
    """What an artifact holds."""

    name: str
    """Of its AIComponent."""
    artifact: str
    """Reference, with the digest."""
    components: Mapping[str, Component]
    contracts: Mapping[str, Contract]
    digests: Mapping[str, str]
    """By part."""
    tiers: Mapping[str, str] = field(default_factory=dict)
    """How far components are proven, as the report in the artifact says."""
    replaces: frozenset[str] = frozenset()
    """Parts that it may put in the place of the catalog's own."""

    @property
    def parts(self) -> frozenset[str]:
        """What it brings: ``components/<name>``, ``contracts/<name>``."""
        return frozenset(self.digests)


@dataclass(frozen=True)
class Expected:
    """A piece that was in use before and isn't loaded: the parts that it brings, and why they can't be used."""

    name: str
    parts: frozenset[str]
    why: str


@dataclass(frozen=True)
class Merged:
    """A catalog with pieces, and why some of them aren't in it, by name."""

    catalog: Catalog
    refused: Mapping[str, str]


def merge(base: Catalog, pieces: Iterable[Piece], expected: Iterable[Expected] = ()) -> Merged:
    """Add pieces to a catalog.

    Args:
        base: the catalog without them.
        pieces: those that were there first before others.
        expected: those that should be there as well.
    """
    catalog, refused = base, dict[str, str]()
    for piece in pieces:
        if problem := clash(base, catalog, piece):
            refused[piece.name] = problem
        else:
            catalog = _with(catalog, piece)
    missing = {part: each.why for each in expected for part in each.parts if part not in catalog.origins}
    return Merged(replace(catalog, awaited=missing), refused)


def clash(base: Catalog, catalog: Catalog, piece: Piece) -> str:
    """Say why a piece can't be added, and what to do; empty if it can.

    Args:
        base: the catalog without any.
        catalog: with the pieces that go before it.
        piece: what is to be added.
    """
    for part in sorted(piece.parts):
        if other := catalog.origins.get(part):
            return f"{part} is brought by the AIComponent {other} already; delete that one, or rename this one's"
        if part in base.parts and part not in piece.replaces:
            return (
                f"{part} is in the catalog already; write spec.replaces: [{part}] to use this one instead, or rename it"
            )
    if needless := sorted(piece.replaces - piece.parts):
        return f"spec.replaces: {needless[0]} isn't in the artifact, which brings {', '.join(sorted(piece.parts))}"
    return ""


def _with(catalog: Catalog, piece: Piece) -> Catalog:
    return replace(
        catalog,
        components={**catalog.components, **piece.components},
        contracts={**catalog.contracts, **piece.contracts},
        parts={**catalog.parts, **piece.digests},
        origins={**catalog.origins, **dict.fromkeys(piece.parts, piece.name)},
    )


def touched(catalog: Catalog, parts: frozenset[str]) -> frozenset[str]:
    """Return the parts whose plans may be others once some parts are added, changed or gone.

    Args:
        catalog: with these parts.
        parts: what is new: also components that have to do with contracts, and profiles that name components.
    """
    users = {
        f"components/{c.name}" for c in catalog.components.values() if {f"contracts/{n}" for n in c.contracts} & parts
    }
    named = {
        f"profiles/{p.name}"
        for p in catalog.profiles.values()
        if {f"components/{name}" for name in p.components} & (parts | users)
    }
    return frozenset(parts | users | named)
