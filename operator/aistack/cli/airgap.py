"""What stacks pull, listed and brought to a registry of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from aistack.catalog.models import Catalog
from aistack.cli.files import StackDocument
from aistack.errors import RegistryError
from aistack.objects.artifact import Reference, parse_reference
from aistack.planning.lock import LockedImage, images_of
from aistack.sources.images import copy, digest_at
from aistack.sources.registry import Access

AT_ONCE = 4
"""Registries' requests at a time."""


@dataclass(frozen=True)
class Locked:
    """An image, the stacks that it is for, and its digest where that is known."""

    image: LockedImage
    stacks: tuple[str, ...]
    digest: str = ""


def lock(documents: Iterable[StackDocument], catalog: Catalog) -> list[Locked]:
    """Return all images of some stacks, each once.

    Raises:
        InvalidError: a stack or the catalog is wrong.
    """
    found: dict[LockedImage, list[str]] = {}
    for document in documents:
        for image in images_of(document.plan(catalog), catalog):
            found.setdefault(image, []).append(f"{document.stack.namespace}/{document.stack.name}")
    return [Locked(image, tuple(stacks)) for image, stacks in sorted(found.items())]


async def with_digests(locked: Sequence[Locked], access: Access) -> list[Locked]:
    """Ask registries for the digests of images; those that aren't there have none.

    Raises:
        RegistryError: a registry refused, or didn't answer in time.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(item: Locked) -> Locked:
        async with gate:
            try:
                return replace(item, digest=await digest_at(parse_reference(item.image.reference), access))
            except RegistryError as error:
                if error.status == 404:
                    return item
                raise

    return list(await asyncio.gather(*map(ask, locked)))


@dataclass(frozen=True)
class Copied:
    """What was copied, and where to, with its digest."""

    source: Reference
    target: Reference


async def mirror(
    references: Iterable[Reference], registry: str, access: Access, origin: str = ""
) -> AsyncIterator[Copied]:
    """Copy images and artifacts to a registry, one after the other, and yield each when it is there.

    Args:
        references: what to copy.
        registry: host, and perhaps a path, to copy to.
        access: how registries are reached.
        origin: registry to copy from instead of that which references name.

    Raises:
        ArtifactError: something isn't what its digest says.
        RegistryError: a registry refused, or didn't answer in time.
    """
    for reference in references:
        source = _placed(reference, origin) if origin else reference
        target = replace(_placed(reference, registry), digest="")
        yield Copied(source, target.pinned(await copy(source, target, access)))


def _placed(reference: Reference, registry: str) -> Reference:
    """Return the reference of what has the same name in another registry."""
    host, _, path = registry.partition("/")
    repository = "/".join(filter(None, (path, reference.repository)))
    return replace(reference, host=host, repository=repository)
