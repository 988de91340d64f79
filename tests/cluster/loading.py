"""Putting image archives onto running nodes, skipping what is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster import archives
from tests.cluster.archives import Image
from tests.cluster.node.imagestore import CTR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.cluster.common.progress import Progress
    from tests.cluster.docker.client import Docker

_BY_DIGEST = "sha256:"


def load(docker: Docker, nodes: Sequence[str], paths: Sequence[Path], progress: Progress) -> list[Image]:
    """Import the archives' images into every node that lacks them, ready to run.

    Args:
        docker: the daemon whose containers the nodes are.
        nodes: the nodes' names.
        paths: docker- or oci-archives.
        progress: one step for each archive that some node lacks.

    Returns:
        The images that were missing somewhere.
    """
    contents = {path: archives.read(path) for path in paths}
    present = {node: parse_images(docker.exec(node, *CTR, "images", "list")) for node in nodes}
    loaded: list[Image] = []
    for path, images in contents.items():
        lacking = [node for node in nodes if not present[node].issuperset(images)]
        if lacking:
            with progress.step(f"load {path.name} ({path.stat().st_size >> 20} MiB)"):
                for node in lacking:
                    docker.feed(path, "exec", "-i", node, *CTR, "images", "import", "-")
            loaded += images
    return loaded


def parse_images(listing: str) -> set[Image]:
    """The images in `ctr images list`.

    Kubernetes' part of containerd lists each image a second time under its configuration's digest: a name and a
    configuration belong together where both rows have the same target.
    """
    rows = [line.split() for line in listing.splitlines()[1:]]
    targets = {row[0]: row[2] for row in rows if len(row) > 2}
    configurations = {target: name for name, target in targets.items() if name.startswith(_BY_DIGEST)}
    names = (name for name in targets if not name.startswith(_BY_DIGEST))
    return {Image(name, configurations[targets[name]]) for name in names if targets[name] in configurations}
