"""What a build works with: a builder, the cache and the host's files; one build at a time."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from aistack.images.builders import Builder, Engine, pick_builder
from aistack.images.debian import registry_answers
from aistack.images.hostfiles import host_files


@dataclass
class Workshop:
    """Tools and places of a build; the builder is looked for when it is first needed.

    ``use_registry`` says whether bases may be pulled: True, False, or None to find out.
    """

    cache: Path
    scratch: Path
    engine: Engine = "auto"
    use_registry: bool | None = None
    chosen: Builder | None = field(default=None, repr=False)

    @cached_property
    def builder(self) -> Builder:
        """The program that builds."""
        return self.chosen or pick_builder(self.engine)

    @cached_property
    def lent(self) -> Mapping[str, Path]:
        """The host's files that builds may see."""
        return host_files(self.scratch)

    @cached_property
    def registry(self) -> bool:
        """Whether bases are pulled."""
        return registry_answers() if self.use_registry is None else self.use_registry

    def log(self, name: str) -> Path:
        """Return the log file of an image's build."""
        return self.cache / "logs" / f"{name.replace('/', '-')}.log"


@contextmanager
def open_workshop(cache: Path, *, engine: Engine = "auto", use_registry: bool | None = None) -> Iterator[Workshop]:
    """Yield a workshop; another one on the same cache waits until this one is left.

    Args:
        cache: folder of the archives; made where it is missing.
        engine: which program builds.
        use_registry: whether bases may be pulled; by default where Docker Hub answers.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock, tempfile.TemporaryDirectory() as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Workshop(cache, Path(scratch), engine, use_registry)
