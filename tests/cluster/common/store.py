"""A store of built things, each in a directory named by a hash of all that it is made of.

A directory appears under its final name only when it is whole: it is built elsewhere and renamed. Two processes that
want the same thing build it once, the second waits for the first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from tests.cluster.common.paths import cache_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


def key_of(*parts: str | bytes | Path) -> str:
    """A short hash of texts, bytes and the contents of files, in this order."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else part.read_bytes()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


@contextmanager
def lock(name: str, busy: str = "") -> Iterator[None]:
    """Hold the machine-wide lock of this name; waits for whoever holds it, and falls with the process.

    Args:
        name: what is locked.
        busy: said on standard error when it has to wait.
    """
    with _lock_file(name).open("w") as handle:
        if not _try_lock(handle):
            if busy:
                print(busy, file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _lock_file(name: str) -> Path:
    path = cache_dir() / "locks" / f"{name}.lock"
    path.parent.mkdir(exist_ok=True)
    return path


def _try_lock(handle: TextIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
        _discard(final.parent.glob(f".{key}.*"))
        work.mkdir(parents=True)
        try:
            build(work)
            work.rename(final)
        finally:
            _discard([work])
    _prune(kind, final.parent, keep)
    return final


def _prune(kind: str, directory: Path, keep: int) -> None:
    """Remove whole artefacts but the most recently used ones, and what killed builds left."""
    whole = [path for path in directory.iterdir() if not path.name.startswith(".")]
    for path in sorted(whole, key=lambda path: path.stat().st_mtime)[:-keep]:
        trash = path.with_name(f".{path.name}.trash")  # half an artefact under its own name would pass for a whole one
        path.rename(trash)
        _discard([trash])
    for left in directory.glob(".*"):
        with _lock_file(f"{kind}-{left.name.split('.')[1]}").open("w") as handle:
            if _try_lock(handle):
                _discard([left])


def _discard(paths: Iterable[Path]) -> None:
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
