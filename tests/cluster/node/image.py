"""The node image in a Docker daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.node import parts

if TYPE_CHECKING:
    from tests.cluster.common.progress import Progress
    from tests.cluster.docker.client import Docker


def ensure(docker: Docker, progress: Progress) -> str:
    """Load the node image into the daemon unless it is there, and return its reference."""
    files = parts.ensure(progress)
    if docker.has_image(parts.image_name()):
        progress.cached("node image")
    else:
        with progress.step("node image", "about 10 s, once"):
            docker("load", "--input", files / "node.tar", timeout=600)
    return parts.image_name()
