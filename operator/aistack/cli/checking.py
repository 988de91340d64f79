"""Joins all checks of a catalog: its folders, its images, and what planning makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aistack.catalog.check import check_folders
from aistack.catalog.loader import load_catalog
from aistack.errors import CatalogError
from aistack.images import discover
from aistack.planning.check import check_plans
from aistack.rendering import plan_new


def check_catalog(root: Path) -> list[CatalogError]:
    """Return everything that is wrong with a catalog, each thing once, by file and line."""
    found = [*check_folders(root), *_images(root), *_plans(root)]
    return sorted({str(error): error for error in found}.values(), key=lambda error: (error.file, error.line))


def _images(root: Path) -> Iterator[CatalogError]:
    try:
        images = discover(root)
    except CatalogError as error:
        yield error
        return
    for image in images:
        shared = image.containerfile.parent.parent == root / "images"
        if shared and "platforms" not in image.declared.model_fields_set:
            yield CatalogError(f"images/{image.name}/image.yaml", "says nothing of its platforms")


def _plans(root: Path) -> Iterator[CatalogError]:
    """Plan with the whole catalog, if all of it can be loaded."""
    try:
        catalog = load_catalog(root)
    except CatalogError as error:
        yield error
        return
    yield from check_plans(catalog, plan_new)
