"""Builds a plan's images, base first; what is in the cache is not built again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from aistack.images import debian
from aistack.images.context import gather
from aistack.images.models import BuildPlan, BuildStep, Done, Progress
from aistack.images.sbom import write_sbom
from aistack.images.store import archive_size, estimate, note_timing, read_timings
from aistack.images.workshop import Workshop

_BASE_SECONDS = 45.0


def build(plan: BuildPlan, shop: Workshop, *, fresh: bool = False) -> Iterator[Progress | Done]:
    """Build what isn't there yet; yields an event as each thing begins and as each image is done.

    Args:
        plan: the images, narrowed or whole.
        shop: an open workshop.
        fresh: build all of them again, on bases fetched again (for security updates).

    Raises:
        ToolError: a program is missing or a build failed; with its last lines and the log's path.
    """
    renewed: set[str] = set()
    for step in plan.steps:
        if not fresh and (size := archive_size(step)):
            yield Done(step, "unchanged", 0.0, size)
            continue
        for reference in step.external:
            if reference not in renewed and (fresh or shop.builder.platform_of(reference) != step.platform):
                yield from _provide(reference, step, shop)
                renewed.add(reference)
        yield from _build(plan, step, shop, fresh)


def _provide(reference: str, step: BuildStep, shop: Workshop) -> Iterator[Progress]:
    doing = "pulling" if shop.registry else "making it from Debian packages"
    yield Progress(reference, doing, _BASE_SECONDS)
    debian.provide(shop.builder, reference, step.platform, cache=shop.cache, registry=shop.registry)


def _build(plan: BuildPlan, step: BuildStep, shop: Workshop, fresh: bool) -> Iterator[Progress | Done]:
    name, started = step.image.name, time.monotonic()
    yield Progress(name, f"building with {shop.builder.name}", estimate(step, read_timings(shop.cache)))
    for parent in map(plan.step, step.parents):
        if shop.builder.inputs_of(parent.image.reference) != parent.inputs:
            shop.builder.restore(parent.archive)
    shop.builder.build(replace(step, image=gather(step.image, shop.scratch)), shop.lent, shop.log(name), fresh)
    yield Progress(name, "writing the archive")
    _save(step, shop)
    seconds = time.monotonic() - started
    note_timing(shop.cache, name, seconds)
    yield Done(step, "built", seconds, archive_size(step))


def _save(step: BuildStep, shop: Workshop) -> None:
    """Write beside and rename, so that an archive that exists is whole; then say what is in it."""
    partial = step.archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    shop.builder.save(step.image.reference, partial)
    partial.rename(step.archive)
    write_sbom(step)
