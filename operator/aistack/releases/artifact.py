"""Releases as artifacts of a registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from aistack.catalog.loader import load_catalog
from aistack.catalog.models import Catalog
from aistack.catalog.tiers import tiers_of
from aistack.errors import ArtifactError
from aistack.objects.artifact import FOLDER, RELEASE, Reference
from aistack.releases.bill import MEDIA_TYPE, Bill, bill_of
from aistack.releases.folder import load_packed, pack_catalog
from aistack.sources.oci import Artifact, Blob, folders_of, pull
from aistack.sources.registry import Access

LARGEST = 900 * 2**10
"""Bytes of a release, which a ConfigMap must hold; the catalog packs to some 60 KiB."""


@dataclass(frozen=True)
class Release:
    """A catalog, packed, and its bill of materials."""

    bill: Bill
    packed: bytes

    @property
    def name(self) -> str:
        """What stacks call it."""
        return self.bill.name

    def catalog(self) -> Catalog:
        """Load it.

        Raises:
            InvalidError: it isn't safe to unpack, or this version can't read it.
        """
        return load_packed(self.name, self.packed)

    def artifact(self) -> Artifact:
        """Return it as an artifact."""
        config = Blob(MEDIA_TYPE, self.bill.model_dump_json(exclude_defaults=True).encode())
        told = {
            "org.opencontainers.image.title": "AIStack catalog",
            "org.opencontainers.image.version": self.name,
            "org.opencontainers.image.created": f"{self.bill.date}T00:00:00Z",
        }
        return Artifact(RELEASE, (Blob(FOLDER, self.packed),), config, told)


def build(root: Path, name: str, date: str) -> Release:
    """Make a release of a catalog's folder.

    Args:
        root: the folder.
        name: of the release, e.g. ``0.1.0``.
        date: as ``2026-11-28``.

    Raises:
        CatalogError: a file of it is wrong.
        ArtifactError: it is too large.
    """
    catalog, packed = load_catalog(root), pack_catalog(root)
    if len(packed) > LARGEST:
        raise ArtifactError(str(root), f"packs to {len(packed)} bytes, {LARGEST} are allowed", "leave out data")
    return Release(bill_of(catalog, name, date, tiers_of(root, catalog.components)), packed)


async def fetch(reference: Reference, access: Access) -> Release:
    """Fetch a release.

    Raises:
        ArtifactError: it isn't what was asked for, or no release.
        RegistryError: the registry refused, or didn't answer in time.
    """
    _, artifact = await pull(reference, access, LARGEST + 2**20)
    packed = list(folders_of(artifact, FOLDER))
    if artifact.type != RELEASE or len(packed) != 1:
        problem = f"is an artifact of type {artifact.type!r:.100}, not {RELEASE}"
        raise ArtifactError(str(reference), problem, "name one that 'aistack release build' made")
    try:
        return Release(Bill.model_validate_json(artifact.config.data), packed[0])
    except ValidationError:
        raise ArtifactError(str(reference), "its bill of materials can't be read", "build it again") from None
