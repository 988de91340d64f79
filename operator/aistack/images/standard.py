"""The plan of a catalog's images for this user: archives in the usual cache, for this machine unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aistack.images.discovery import discover
from aistack.images.inputs import host_platform, sources_of
from aistack.images.models import BuildPlan
from aistack.images.plan import make_plan
from aistack.images.store import default_cache


def standard_plan(root: Path, platform: str = "", pieces: Iterable[Path] = ()) -> BuildPlan:
    """Find a catalog's images and plan them.

    Args:
        root: the catalog's folder.
        platform: what to build for; this machine's by default.
        pieces: folders of somebody's components.

    Raises:
        CatalogError: a file is wrong, or an image isn't made for the platform.
    """
    images = discover(root, pieces)
    return make_plan(images, sources_of(images), cache=default_cache(), platform=platform or host_platform())
