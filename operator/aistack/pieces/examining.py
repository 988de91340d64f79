"""What is wrong with a piece in the catalog that it would become part of: the same for operators and for authors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aistack.catalog.check import check_folders
from aistack.catalog.models import Catalog
from aistack.catalog.pieces import Piece, merge, touched
from aistack.errors import InvalidError
from aistack.pieces.loading import Wanted, load_piece
from aistack.planning.check import check_plans
from aistack.rendering import plan_new


@dataclass(frozen=True)
class Examined:
    """What came of it: problems, or the piece and the catalog with it."""

    problems: tuple[InvalidError, ...] = ()
    piece: Piece | None = None
    catalog: Catalog | None = None


def examine(root: Path, wanted: Wanted, base: Catalog, others: Sequence[Piece] = ()) -> Examined:
    """Check a piece's folder: its files, then what it makes of stacks.

    Args:
        root: the folder, with ``components/``, ``contracts/`` or both.
        wanted: what it is to be.
        base: the catalog without pieces.
        others: the pieces in use.
    """
    contracts = {*base.contracts, *(name for piece in others for name in piece.contracts)}
    if problems := tuple(check_folders(root, contracts)):
        return Examined(problems)
    piece = load_piece(root, wanted)
    if not piece.parts:
        return Examined((InvalidError("it holds neither a component nor a contract"),))
    merged = merge(base, [*others, piece])
    if problem := merged.refused.get(piece.name):
        return Examined((InvalidError(problem),))
    problems = tuple(check_plans(merged.catalog, plan_new, touched(merged.catalog, piece.parts)))
    return Examined(problems) if problems else Examined((), piece, merged.catalog)
