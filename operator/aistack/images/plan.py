"""Decides in which order images are built and what each archive is called. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from aistack.errors import CatalogError
from aistack.images.models import BuildPlan, BuildStep, Image, Source

RECIPE = "1"
"""Raised when building itself changes so that the same inputs give another image."""


def make_plan(images: Sequence[Image], sources: Mapping[str, Source], *, cache: Path, platform: str) -> BuildPlan:
    """Order images so that each comes after its bases, and name its archive by the hash of all its inputs.

    Args:
        images: as discovered.
        sources: what each is made of, by name.
        cache: folder of the archives.
        platform: what to build for, e.g. ``linux/amd64``.

    Raises:
        CatalogError: images stand on each other in a circle, or one isn't made for the platform.
    """
    ours = {image.reference: image.name for image in images}
    by_name = {image.name: image for image in images}
    steps: dict[str, BuildStep] = {}
    for name in _ordered(sources, ours):
        _check_platform(by_name[name], platform)
        steps[name] = _step(by_name[name], sources[name], steps, ours, cache, platform)
    return BuildPlan(tuple(steps.values()))


def plan_all(images: Sequence[Image], sources: Mapping[str, Source], *, cache: Path) -> list[BuildPlan]:
    """Plan for every platform that all images are made for; for another one none of them is built."""
    platforms = sorted({platform for image in images for platform in image.declared.platforms})
    common = [platform for platform in platforms if all(platform in image.declared.platforms for image in images)]
    return [make_plan(images, sources, cache=cache, platform=platform) for platform in common]


def _ordered(sources: Mapping[str, Source], ours: Mapping[str, str]) -> list[str]:
    parents = {name: [ours[b] for b in source.bases if b in ours] for name, source in sorted(sources.items())}
    try:
        return list(TopologicalSorter(parents).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise CatalogError(error.args[1][0], f"images stand on each other in a circle: {circle}") from None


def _check_platform(image: Image, platform: str) -> None:
    if platform not in image.declared.platforms:
        made = ", ".join(image.declared.platforms)
        raise CatalogError(str(image.containerfile), f"{image.name} isn't made for {platform}; only for {made}")


def _step(
    image: Image, source: Source, done: Mapping[str, BuildStep], ours: Mapping[str, str], cache: Path, platform: str
) -> BuildStep:
    parents = tuple(ours[base] for base in source.bases if base in ours)
    external = tuple(base for base in source.bases if base not in ours)
    stands_on = [done[ours[base]].inputs if base in ours else base for base in source.bases]
    inputs = hashlib.sha256("\n".join([RECIPE, platform, source.digest, *stands_on]).encode()).hexdigest()[:12]
    archive = cache / f"{image.stem}-{image.declared.tag}-{inputs}.tar"
    return BuildStep(image, parents, external, inputs, archive, platform, source.packages)
