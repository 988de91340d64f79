"""Stock: the catalog as it is now, which is the operator's own and the pieces in use."""

from __future__ import annotations

from dataclasses import dataclass, field

from aistack.catalog.models import Catalog
from aistack.catalog.pieces import Expected, Piece, merge, touched


@dataclass
class Stock:
    """What stacks are planned from.

    Args:
        base: the catalog without pieces.
    """

    base: Catalog
    catalog: Catalog = field(init=False)
    _pieces: dict[str, Piece] = field(default_factory=dict)
    """The one that was there first goes before others."""
    _expected: dict[str, Expected] = field(default_factory=dict)

    _others: dict[tuple[str, str], Catalog] = field(default_factory=dict)
    """Catalogs of other releases with the same pieces."""

    def __post_init__(self) -> None:
        """Begin without any."""
        self.catalog = self.base

    def clear(self) -> None:
        """Begin anew."""
        self._pieces.clear()
        self._expected.clear()
        self._others.clear()
        self.catalog = self.base

    def get(self, name: str) -> Piece | None:
        """Return a piece in use."""
        return self._pieces.get(name)

    def others(self, name: str) -> tuple[Piece, ...]:
        """Return the pieces in use but one."""
        return tuple(piece for piece in self._pieces.values() if piece.name != name)

    def put(self, piece: Piece) -> frozenset[str]:
        """Use a piece, in the place of a former one of its name.

        Returns:
            The parts whose plans may be others now.
        """
        former = self._pieces.get(piece.name)
        self._expected.pop(piece.name, None)
        self._pieces[piece.name] = piece
        return self._renew(piece.parts | (former.parts if former else frozenset()))

    def drop(self, name: str) -> frozenset[str]:
        """Use a piece no longer, and expect it no longer.

        Returns:
            The parts whose plans may be others now.
        """
        former, expected = self._pieces.pop(name, None), self._expected.pop(name, None)
        gone = (former.parts if former else frozenset()) | (expected.parts if expected else frozenset())
        return self._renew(gone)

    def expect(self, name: str, parts: frozenset[str], why: str) -> None:
        """Have stacks wait for a piece that was in use before; one that is in use still isn't expected."""
        if name not in self._pieces and parts:
            self._expected[name] = Expected(name, parts, why)
            self._renew(frozenset())

    def on(self, base: Catalog) -> Catalog:
        """Return another catalog with the same pieces: those that fit there."""
        key = (base.release, base.digest)
        if key not in self._others:
            self._others[key] = merge(base, self._pieces.values(), self._expected.values()).catalog
        return self._others[key]

    def _renew(self, parts: frozenset[str]) -> frozenset[str]:
        before = self.catalog
        self._others.clear()
        self.catalog = merge(self.base, self._pieces.values(), self._expected.values()).catalog
        return touched(before, parts) | touched(self.catalog, parts)
