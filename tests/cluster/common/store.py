"""A store of built things, each in a directory named by a hash of all that it is made of.

A directory appears under its final name only when it is whole: it is built elsewhere and renamed. Two processes that
want the same thing build it once, the second waits for the first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.cluster.common.paths import cache_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def key_of(*parts: str | bytes | Path) -> str:
    """A short hash of texts, bytes and the contents of files, in this order."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else part.read_bytes()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the machine-wide lock of this name; waits for whoever holds it, and falls with the process."""
    path = cache_dir() / "locks" / f"{name}.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def artefact(kind: str, key: str) -> Path:
    """The final directory of an artefact, whether or not it exists yet."""
    return cache_dir() / kind / key


def find(kind: str, key: str) -> Path | None:
    """The artefact's directory if it is there, noted as used; None where it has to be built."""
    final = artefact(kind, key)
    if not final.is_dir():
        return None
    os.utime(final)
    return final


def ensure(kind: str, key: str, build: Callable[[Path], None], keep: int = 2) -> Path:
    """Return the artefact's directory, building it first where it is missing.

    Args:
        kind: what it is, e.g. "binaries".
        key: the hash of what it is made of, see `key_of`.
        build: fills the empty directory it is given; when it raises, nothing is kept.
        keep: how many of this kind stay after a build, the most recently used ones.
    """
    if found := find(kind, key):
        return found
    final = artefact(kind, key)
    with lock(f"{kind}-{key}"):
        if found := find(kind, key):
            return found
        work = final.with_name(f".{key}.{os.getpid()}")
        _discard_leftovers(final)
        work.mkdir(parents=True)
        try:
            build(work)
            work.rename(final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    _prune(final.parent, keep)
    return final


def _prune(directory: Path, keep: int) -> None:
    """Remove whole artefacts but the most recently used ones; what is being built is left alone."""
    whole = [path for path in directory.iterdir() if not path.name.startswith(".")]
    for path in sorted(whole, key=lambda path: path.stat().st_mtime)[:-keep]:
        shutil.rmtree(path, ignore_errors=True)


def _discard_leftovers(final: Path) -> None:
    """Remove what an interrupted build of the same artefact left; the lock says that none is running."""
    for leftover in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
