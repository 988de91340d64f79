"""The parts of a node in the store: its Docker image, and the archives of the images it starts with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import archives
from tests.cluster.build import binaries
from tests.cluster.build.golang import find_go, module_dir
from tests.cluster.common import store
from tests.cluster.common.shell import run
from tests.cluster.node import images, rootfs

if TYPE_CHECKING:
    from tests.cluster.common.progress import Progress

_HERE = Path(__file__).parent
_CONFIG = {
    "Env": ["container=docker", archives.PATH],
    "Entrypoint": ["/usr/local/bin/entrypoint", "/sbin/init"],
    "StopSignal": "SIGRTMIN+3",  # systemd's; it would take SIGTERM for a wish to start anew
}


def key() -> str:
    """The hash of all that a node is made of; the recipe itself is part of it."""
    recipe = [_HERE / name for name in ("rootfs.py", "images.py", "parts.py", "kindnetd.sh")]
    return store.key_of(binaries.key(), rootfs.base_key(), *recipe)


def image_name() -> str:
    """The node image's reference in a Docker daemon."""
    return f"kind.aistack.dev/node:{key()}"


def ensure(progress: Progress) -> Path:
    """The directory with `node.tar` and `images/*.tar`, made first where it is missing."""
    found = store.find("node", key())
    if found or store.find("debian", rootfs.base_key()):
        progress.cached("bare Debian for the node")
    else:
        with progress.step("bare Debian for the node", "about 30 s, once"):
            store.ensure("debian", rootfs.base_key(), rootfs.build_base)
    if found:
        progress.cached("node's root file system and images")
        return found
    with progress.step("node's root file system and images", "about 30 s, once"):
        return store.ensure("node", key(), _build)


def _build(target: Path) -> None:
    root = target / "root"
    root.mkdir()
    base = store.ensure("debian", rootfs.base_key(), rootfs.build_base)
    kind_source = module_dir(find_go(), "sigs.k8s.io/kind")
    rootfs.assemble(root, base, binaries.directory(), kind_source)
    kind_images = rootfs.images_of(kind_source / "pkg/build/nodeimage")
    images.write_all(target / "images", root, binaries.directory(), _HERE / "kindnetd.sh", kind_images)
    layer = target / "rootfs.tar"
    run(["tar", "--numeric-owner", "-C", root, "-cf", layer, "."], timeout=300)
    shutil.rmtree(root)
    archives.write_layer(target / "node.tar", image_name(), layer, _CONFIG)
    layer.unlink()
