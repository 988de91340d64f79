"""Brings built images to where they run: into kind's nodes, or to a registry."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from aistack.errors import ToolError
from aistack.images.models import BuildPlan, BuildStep, Done, Progress
from aistack.images.store import archive_size
from aistack.images.tools import run
from aistack.images.workshop import Workshop

Loader = Callable[[Path], object]
"""Loads one archive into a cluster's nodes."""


def kind_loader(cluster: str) -> Loader:
    """Return a loader for a kind cluster, by name."""
    return lambda archive: run(["kind", "load", "image-archive", "--name", cluster, str(archive)])


def load(plan: BuildPlan, *, cluster: str = "kind", loader: Loader | None = None) -> Iterator[Progress | Done]:
    """Load every image that pods run into a cluster.

    Args:
        plan: the images, built.
        cluster: name of the kind cluster.
        loader: loads an archive in another way, e.g. into a cluster in a network namespace.

    Raises:
        ToolError: an image isn't built, or loading failed.
    """
    put = loader or kind_loader(cluster)
    for step in _built(plan):
        started = time.monotonic()
        yield Progress(step.image.name, "loading")
        put(step.archive)
        yield Done(step, "loaded", time.monotonic() - started, archive_size(step))


def push(plan: BuildPlan, shop: Workshop, *, registry: str) -> Iterator[Progress | Done]:
    """Push every image that pods run to a registry, as ``<registry>/<repository>:<tag>``.

    Args:
        plan: the images, built.
        shop: an open workshop; its builder logs in with the user's auth file (``docker login``, ``buildah login``).
        registry: host and path before the repository; what ``spec.images.registry`` then says.

    Raises:
        ToolError: an image isn't built, or the registry refused.
    """
    for step in _built(plan):
        started = time.monotonic()
        target = step.image.declared.reference(registry.rstrip("/"))
        yield Progress(step.image.name, f"pushing to {target}")
        if shop.builder.inputs_of(step.image.reference) != step.inputs:
            shop.builder.restore(step.archive)
        shop.builder.push(step.image.reference, target)
        yield Done(step, "pushed", time.monotonic() - started, archive_size(step))


def _built(plan: BuildPlan) -> tuple[BuildStep, ...]:
    missing = [step.image.name for step in plan.running() if not archive_size(step)]
    if missing:
        raise ToolError(f"not built yet: {', '.join(missing)}; run 'aistack images build' first")
    return plan.running()
