"""The containerd directories that nodes start with.

A node's images do not lie in its Docker image but in a containerd directory that is filled and unpacked once, kept in
the cache, and given to each new node as hard links: a fresh node has every image at hand, ready to run, and shares the
disk space. Only containerd's own databases are real copies. A directory for other images starts from the most similar
one there is, so that a changed image costs its own import and no other.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from tests.cluster import archives
from tests.cluster.archives import Image
from tests.cluster.common import store
from tests.cluster.common.shell import run
from tests.cluster.common.waiting import wait_for
from tests.cluster.node import parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.cluster.common.progress import Progress, Step
    from tests.cluster.docker.client import Docker

CTR = ("ctr", "--namespace=k8s.io")
_KIND = "containerd"
_ROOT = "root"
_CONTENTS = "images.json"
_KEEP = 3
_LABEL = "dev.aistack.import"


def ensure(docker: Docker, preload: Sequence[Path], progress: Progress) -> Path:
    """The directory with Kubernetes' images and these archives', filled first where it is missing.

    Args:
        docker: a daemon that has the node image.
        preload: component image archives.
        progress: one step.
    """
    own = sorted((store.artefact("node", parts.key()) / "images").glob("*.tar"))
    wanted = {image: path for path in (*own, *preload) for image in archives.read(path)}
    key = store.key_of(parts.key(), *sorted(map(repr, wanted)))
    title = f"Kubernetes' and {len(preload)} component image archives, unpacked for nodes"
    if found := store.find(_KIND, key):
        progress.cached(title)
        return found / _ROOT
    with progress.step(title, "about 20 s a GB, once") as step:
        return store.ensure(_KIND, key, lambda target: _fill(docker, target, wanted, step), _KEEP) / _ROOT


def link(source: Path, target: Path) -> None:
    """Give a node its own containerd directory: hard links to what never changes, copies of the databases."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    run(["cp", "-al", source, target])
    for database in target.rglob("*.db"):
        copy = database.with_suffix(".copy")
        shutil.copy2(database, copy)
        copy.replace(database)


def _fill(docker: Docker, target: Path, wanted: Mapping[Image, Path], step: Step) -> None:
    """Import what the most similar directory lacks, and remove what it has too much."""
    present: set[Image] = set()
    if similar := _most_similar(set(wanted)):
        present = _contents(similar)
        link(similar / _ROOT, target / _ROOT)
    missing = sorted({path for image, path in wanted.items() if image not in present})
    with _containerd(docker, target / _ROOT) as container:
        if surplus := [name for image in present - set(wanted) for name in (image.name, image.digest)]:
            docker.exec(container, *CTR, "images", "remove", "--sync", *surplus)
        for number, path in enumerate(missing, 1):
            step.detail = f"{number} of {len(missing)}: {path.name}"
            docker.feed(path, "exec", "-i", container, *CTR, "images", "import", "-")
    step.result = f"{len(missing)} imported"
    (target / _CONTENTS).write_text(json.dumps([asdict(image) for image in wanted]))


def _most_similar(wanted: set[Image]) -> Path | None:
    """The directory that has the most of these images; None where none has any."""
    scores = {path.parent: len(_contents(path.parent) & wanted) for path in _finished()}
    best = max(scores, key=lambda path: scores[path], default=None)
    return best if best is not None and scores[best] else None


def _finished() -> list[Path]:
    """The contents lists of all whole directories."""
    return sorted(store.artefact(_KIND, "*").parent.glob(f"[!.]*/{_CONTENTS}"))


def _contents(directory: Path) -> set[Image]:
    return {Image(**image) for image in json.loads((directory / _CONTENTS).read_text())}


@contextmanager
def _containerd(docker: Docker, data: Path) -> Iterator[str]:
    """A container that runs nothing but containerd on a directory."""
    for left in docker("ps", "--all", "--quiet", f"--filter=label={_LABEL}").split():
        docker.remove(left)  # of a command that was killed
    container = f"aistack-import-{os.getpid()}"
    options = [f"--label={_LABEL}", "--privileged", "--network=none", "--tmpfs=/run", "--stop-signal=SIGTERM"]
    place = [f"--volume={data}:/var/lib/containerd", "--entrypoint=containerd", parts.image_name()]
    docker("run", "--detach", f"--name={container}", *options, *place)
    try:
        wait_for(lambda: docker.succeeds("exec", container, "ctr", "version"), 30, "containerd in the import container")
        yield container
        docker("stop", container)
    finally:
        docker.remove(container)
