"""Finds the catalog's folder: named on the command line, packaged in the wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from aistack.errors import CatalogError

_PACKAGE = Path(__file__).resolve().parent.parent


def catalog_folder(named: Path | None = None) -> Path:
    """Return the folder that holds ``components/``, ``contracts/`` and ``profiles/``.

    Args:
        named: what ``--catalog`` said; it wins and must exist.

    Raises:
        CatalogError: no catalog is there.
    """
    packaged, checkout = _PACKAGE / "manifests", _PACKAGE.parent.parent / "manifests"
    candidates = [named] if named else [packaged, checkout]
    for folder in candidates:
        if (folder / "components").is_dir():
            return folder
    raise CatalogError(
        str(named or packaged), "holds no catalog (a folder with components/); name one with --catalog DIR"
    )
