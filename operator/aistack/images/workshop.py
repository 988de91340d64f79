"""What a build works with: a builder, the cache and the host's files; one build at a time."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aistack.images.builders import Builder, Engine, pick_builder
from aistack.images.debian import registry_answers
from aistack.images.hostfiles import host_files


@dataclass
class Workshop:
    """Tools and places of a build; each tool is looked for when it is first needed."""

    cache: Path
    scratch: Path
    engine: Engine = "auto"

    @cached_property
    def builder(self) -> Builder:
        """The program that builds."""
        return pick_builder(self.engine)

    @cached_property
    def lent(self) -> Mapping[str, Path]:
        """The host's files that builds may see."""
        return host_files(self.scratch)

    @cached_property
    def registry(self) -> bool:
        """Whether bases are pulled: where Docker Hub answers."""
        return registry_answers()

    def log(self, name: str) -> Path:
        """Return the log file of an image's build."""
        return self.cache / "logs" / f"{name.replace('/', '-')}.log"


@contextmanager
def open_workshop(cache: Path, say: Callable[[str], object], *, engine: Engine = "auto") -> Iterator[Workshop]:
    """Yield a workshop; another one on the same cache waits until this one is left.

    Args:
        cache: folder of the archives; made where it is missing.
        say: told if it has to wait.
        engine: which program builds.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock, tempfile.TemporaryDirectory() as scratch:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another build or push, which holds {lock.name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield Workshop(cache, Path(scratch), engine)
