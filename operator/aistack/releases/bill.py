"""Bills of materials: what a release is made of, and what is other in the next one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aistack.catalog.models import Catalog

MEDIA_TYPE = "application/vnd.aistack.bill.v1+json"


class BilledImage(BaseModel):
    """An image; its digest where that was known when the release was made."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reference: str
    digest: str = ""


class BilledComponent(BaseModel):
    """A component: its newest version, all of them, how far it was proven, its images by name, and its digest."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: str
    versions: tuple[str, ...] = ()
    tier: str = ""
    images: Mapping[str, BilledImage] = Field(default_factory=dict)
    digest: str = ""


class Bill(BaseModel):
    """A release's bill of materials."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    date: str
    catalog: str
    """Digest of the catalog."""
    runner: BilledImage
    """The image in which claims and proofs run."""
    components: Mapping[str, BilledComponent] = Field(default_factory=dict)
    contracts: Mapping[str, str] = Field(default_factory=dict)
    """Digests by name."""


def bill_of(
    catalog: Catalog, name: str, date: str, tiers: Mapping[str, str], digests: Mapping[str, str] | None = None
) -> Bill:
    """Return the bill of a catalog.

    Args:
        catalog: the catalog.
        name: of the release.
        date: of the release, as ``2026-11-28``.
        tiers: how far components are proven, by name.
        digests: of images, by reference, as far as they are known.
    """
    known = digests or {}

    def images(component: str) -> dict[str, BilledImage]:
        found = {key: image.reference() for key, image in catalog.components[component].spec.images.items()}
        return {key: BilledImage(reference=ref, digest=known.get(ref, "")) for key, ref in found.items()}

    components = {
        component.name: BilledComponent(
            version=component.spec.versions[0],
            versions=component.spec.versions,
            tier=tiers.get(component.name, ""),
            images=images(component.name),
            digest=catalog.parts[f"components/{component.name}"],
        )
        for component in catalog.components.values()
    }
    contracts = {contract: catalog.parts[f"contracts/{contract}"] for contract in sorted(catalog.contracts)}
    runner = catalog.runner.reference()
    return Bill(
        name=name,
        date=date,
        catalog=catalog.digest,
        runner=BilledImage(reference=runner, digest=known.get(runner, "")),
        components=components,
        contracts=contracts,
    )


def differences(before: Bill, after: Bill) -> Iterator[tuple[str, str]]:
    """Yield what is other in a release, by part, in words."""
    for name in sorted(before.components.keys() | after.components.keys()):
        told = ", ".join(_component(before.components.get(name), after.components.get(name)))
        if told:
            yield f"components/{name}", told
    for name in sorted(before.contracts.keys() | after.contracts.keys()):
        old, new = before.contracts.get(name), after.contracts.get(name)
        if old != new:
            yield f"contracts/{name}", _word(old, new)

    if (was := _image(before.runner)) != (now := _image(after.runner)):
        yield "runner", f"image {was} -> {now}"


def _component(old: BilledComponent | None, new: BilledComponent | None) -> Iterator[str]:
    if old is None or new is None:
        yield f"{_word(old, new)} ({(new or old or BilledComponent(version='')).version})"
        return
    for word, was, now in (("version", old.version, new.version), ("tier", old.tier or "none", new.tier or "none")):
        if was != now:
            yield f"{word} {was} -> {now}"
    for key in sorted(old.images.keys() | new.images.keys()):
        was, now = (_image(component.images.get(key)) for component in (old, new))
        if was != now:
            yield f"image {key} {was} -> {now}"
    same = (old.version, old.images) == (new.version, new.images)
    if same and old.digest != new.digest:
        yield "templates or settings changed"


def _image(image: BilledImage | None) -> str:
    if image is None:
        return "none"
    name = image.reference.rpartition("/")[2]
    return f"{name}@{image.digest[:19]}" if image.digest else name


def _word(old: Any, new: Any) -> str:
    return "new" if old is None else "gone" if new is None else "changed"
