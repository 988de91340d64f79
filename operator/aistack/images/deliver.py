"""Brings built images to where they run: into kind's nodes, or to a registry."""

from __future__ import annotations

import time
from collections.abc import Iterator

from aistack.errors import ToolError
from aistack.images.models import BuildPlan, BuildStep, Done, Progress
from aistack.images.nodes import held, identity, nodes
from aistack.images.store import archive_size
from aistack.images.tools import Run, run
from aistack.images.workshop import Workshop


def load(plan: BuildPlan, *, cluster: str = "kind", run_tool: Run = run) -> Iterator[Progress | Done]:
    """Load every image that pods run into those nodes of a kind cluster that lack it.

    Args:
        plan: the images, built.
        cluster: its name.
        run_tool: runs kind, and looks into its nodes.

    Raises:
        ToolError: an image isn't built, there is no such cluster, or loading failed.
    """
    steps = built(plan)
    present = {node: held(node, run_tool) for node in nodes(cluster, run_tool)}
    for step in steps:
        started = time.monotonic()
        image = identity(step.archive)
        lacking = [node for node, images in present.items() if image not in images]
        if not lacking:
            yield Done(step, "there already", 0, archive_size(step))
            continue
        yield Progress(step.image.name, "loading")
        where = f"--nodes={','.join(lacking)}"
        run_tool(["kind", "load", "image-archive", "--name", cluster, where, str(step.archive)])
        yield Done(step, "loaded", time.monotonic() - started, archive_size(step))


def push(plan: BuildPlan, shop: Workshop, *, registry: str) -> Iterator[Progress | Done]:
    """Push every image that pods run to a registry, as ``<registry>/<repository>:<tag>``.

    That name holds one platform: pushing for another one replaces it.

    Args:
        plan: the images, built.
        shop: an open workshop; its builder logs in with the user's auth file (``docker login``, ``buildah login``).
        registry: host and path before the repository; what ``spec.images.registry`` then says.

    Raises:
        ToolError: an image isn't built, or the registry refused.
    """
    for step in built(plan):
        started = time.monotonic()
        target = step.image.declared.reference(registry.rstrip("/"))
        yield Progress(step.image.name, f"pushing to {target}")
        if shop.builder.inputs_of(step.image.reference) != step.inputs:
            shop.builder.restore(step.archive)
        shop.builder.push(step.image.reference, target)
        yield Done(step, "pushed", time.monotonic() - started, archive_size(step))


def built(plan: BuildPlan) -> tuple[BuildStep, ...]:
    """Return the images that pods run.

    Raises:
        ToolError: one isn't built.
    """
    missing = [step.image.name for step in plan.running() if not archive_size(step)]
    if missing:
        raise ToolError(f"not built yet: {', '.join(missing)}; run 'aistack images build' first")
    return plan.running()
