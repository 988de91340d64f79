"""Finds every image of a catalog: shared ones by their image.yaml, components' by the ``images`` of component.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aistack.catalog.loader import load_model
from aistack.catalog.models import Image as Declared
from aistack.errors import CatalogError
from aistack.images.models import Image


class SharedImage(Declared):
    """``images/<name>/image.yaml``; ``runs: false`` marks an image that only others are built on.

    ``context`` is the folder that the build sees, from the image's own; of it only ``sources`` count. The first of
    them tells whether the catalog lies in its checkout: an installed one has no sources, and no such image.
    """

    runs: bool = True
    context: str = ""
    sources: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _both(self) -> SharedImage:
        if bool(self.context) != bool(self.sources):
            raise ValueError("context and sources go together: write both or none")
        return self


class ComponentImages(BaseModel):
    """The part of component.yaml that this package reads; the rest is the catalog's to check."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    images: Mapping[str, Declared] = Field(default_factory=dict)


def discover(root: Path, pieces: Iterable[Path] = ()) -> list[Image]:
    """Return the images of a catalog that are built from its folders, by name.

    Args:
        root: the catalog's folder, with ``images/`` and ``components/``.
        pieces: folders of somebody's components, whose images may stand on the catalog's.

    Raises:
        CatalogError: a file is missing or wrong, or two images have one reference.
    """
    files = [*(root / "components").glob("*/component.yaml"), *(file for folder in pieces for file in _files(folder))]
    images = sorted([*_shared(root), *_of_components(root, files)], key=lambda image: image.name)
    seen: dict[str, str] = {}
    for image in images:
        _check(root, image)
        if (other := seen.setdefault(image.reference, image.name)) != image.name:
            raise CatalogError(_where(root, image), f"{image.reference} is the reference of {other} too")
    return images


def _shared(root: Path) -> Iterator[Image]:
    for file in sorted((root / "images").glob("*/image.yaml")):
        declared = load_model(root, file, SharedImage)
        containerfile = file.parent / (declared.containerfile or "Containerfile")
        context = (file.parent / declared.context).resolve() if declared.context else None
        if context is None or (context / declared.sources[0]).exists():
            yield Image(file.parent.name, declared, containerfile, declared.runs, context, declared.sources)


def _files(piece: Path) -> list[Path]:
    """Return the component.yaml of a component's folder, or those of a folder with several."""
    alone = piece.resolve() / "component.yaml"
    return [alone] if alone.is_file() else sorted(piece.resolve().glob("components/*/component.yaml"))


def _of_components(root: Path, files: Iterable[Path]) -> Iterator[Image]:
    for file in files:
        for key, declared in load_model(root, file, ComponentImages).images.items():
            if declared.containerfile:
                yield Image(f"{file.parent.name}/{key}", declared, file.parent / declared.containerfile)


def _check(root: Path, image: Image) -> None:
    if not image.containerfile.is_file():
        raise CatalogError(_where(root, image), f"is the containerfile of {image.name} and does not exist")
    for source in image.sources:
        if not (image.context / source).exists():
            raise CatalogError(_where(root, image), f"{image.name} is made of {source}, which isn't in {image.context}")
    if image.declared.tag == "latest":
        raise CatalogError(_where(root, image), f"{image.name} is tagged latest; give it a version")


def _where(root: Path, image: Image) -> str:
    file = image.containerfile
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
