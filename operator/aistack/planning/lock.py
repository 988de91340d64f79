"""All images of a stack: those that its objects name, those of its Jobs, and those that its tools start later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aistack.catalog.models import Catalog, Image
from aistack.errors import CatalogError
from aistack.planning.plan import Planned

RUNNER = "claims and proofs"
"""What the runner's image is for."""


@dataclass(frozen=True, order=True)
class LockedImage:
    """An image that nodes pull for a stack."""

    reference: str
    """As pods name it."""
    published: str
    """Where it comes from: the same, unless ``spec.images.registry`` names another registry."""
    uses: tuple[str, ...]
    """What it is for: ``<component>/<image>``."""
    platforms: tuple[str, ...]


def images_of(planned: Planned, catalog: Catalog) -> tuple[LockedImage, ...]:
    """Return every image that a stack may need, also in pods that its tools start at run time.

    Args:
        planned: the stack.
        catalog: that it was planned from.

    Raises:
        CatalogError: two images of one name come from two registries, so that no other registry can hold both.
    """
    registry = planned.stack.spec.images.registry or ""
    found: dict[str, tuple[Image, list[str]]] = {}
    for use, image in _images(planned, catalog):
        known, uses = found.setdefault(image.reference(registry), (image, []))
        if known.reference() != image.reference():
            problem = f"{use}: {image.reference()} and {known.reference()} have one name in {registry}"
            raise CatalogError(f"components/{use.partition('/')[0]}/component.yaml", problem)
        uses.append(use)
    return tuple(
        LockedImage(reference, image.reference(), tuple(uses), image.platforms)
        for reference, (image, uses) in sorted(found.items())
    )


def _images(planned: Planned, catalog: Catalog) -> Iterator[tuple[str, Image]]:
    for name, resolved in planned.resolved.items():
        yield from ((f"{name}/{key}", image) for key, image in resolved.component.spec.images.items())
    if planned.wiring.edges:
        yield RUNNER, catalog.runner
