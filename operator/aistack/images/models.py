"""What the image tools talk about: images, plans, events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aistack.catalog.models import Image as Declared
from aistack.errors import SpecError


@dataclass(frozen=True)
class Image:
    """One image of ours and the folder it is built from.

    ``name`` is ``<base>`` for shared images and ``<component>/<key>`` for a component's; ``runs`` is false for
    images that others are built on and no pod runs. ``sources`` are paths below ``root`` that it is made of besides
    its folder; without any, the folder is all.
    """

    name: str
    declared: Declared
    containerfile: Path
    runs: bool = True
    root: Path | None = None
    sources: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """The reference under the default registry, as the build tags it."""
        return self.declared.reference()

    @property
    def stem(self) -> str:
        """How the names of its archives begin."""
        return self.declared.repository.replace("/", "-")

    @property
    def context(self) -> Path:
        """The folder that the build sees."""
        return self.root or self.folder

    @property
    def folder(self) -> Path:
        """The folder of the Containerfile and its locks."""
        return self.containerfile.parent

    @property
    def tops(self) -> tuple[Path, ...]:
        """The files and folders that it is made of."""
        return (*(self.context / source for source in self.sources), self.folder)

    def known_as(self, word: str) -> bool:
        """Tell whether a user's word means this image: its name, its repository or its component."""
        return word in (self.name, self.declared.repository, self.name.partition("/")[0])


@dataclass(frozen=True)
class Source:
    """What an image is made of, as read from its folder."""

    bases: tuple[str, ...]
    digest: str
    packages: int


@dataclass(frozen=True)
class BuildStep:
    """One image to build: on its ``parents`` (names) and ``external`` references, into ``archive``."""

    image: Image
    parents: tuple[str, ...]
    external: tuple[str, ...]
    inputs: str
    archive: Path
    platform: str
    packages: int = 0


@dataclass(frozen=True)
class BuildPlan:
    """Images in build order."""

    steps: tuple[BuildStep, ...]

    def only(self, words: Collection[str]) -> BuildPlan:
        """Narrow to the images that the words name, with what they stand on; no word means all.

        Raises:
            SpecError: a word names no image.
        """
        wanted = {name for word in words for name in self._named(word)}
        for step in reversed(self.steps):
            if step.image.name in wanted:
                wanted.update(step.parents)
        return BuildPlan(tuple(s for s in self.steps if not words or s.image.name in wanted))

    def running(self) -> tuple[BuildStep, ...]:
        """Return the steps whose images pods run: those to load and push."""
        return tuple(step for step in self.steps if step.image.runs)

    def step(self, name: str) -> BuildStep:
        """Return the step of an image, by name."""
        return next(step for step in self.steps if step.image.name == name)

    def _named(self, word: str) -> list[str]:
        found = [step.image.name for step in self.steps if step.image.known_as(word)]
        if not found:
            known = ", ".join(step.image.name for step in self.steps)
            raise SpecError("image", f"{word!r} is not an image of the catalog", f"it has {known}")
        return found


@dataclass(frozen=True)
class ImageState:
    """What is known of an image on this machine; ``size`` in bytes, 0 where it isn't built."""

    step: BuildStep
    built: bool
    size: int


@dataclass(frozen=True)
class Progress:
    """Something begins: which image, what, and how long it took before (seconds, 0 where unknown)."""

    image: str
    doing: str
    estimate: float = 0.0

    def __str__(self) -> str:
        """Return a line for people."""
        return f"{self.image}: {self.doing}" + (f" (about {self.estimate:.0f} s)" if self.estimate else "")


@dataclass(frozen=True)
class Done:
    """An image is ``built``, ``unchanged``, ``loaded`` or ``pushed``; ``seconds`` it took, the archive's bytes."""

    step: BuildStep
    did: str
    seconds: float
    size: int

    def __str__(self) -> str:
        """Return a line for people."""
        took = f" in {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.step.image.name}: {self.did}{took}, {self.size / 1e6:.0f} MB"


Timings = Mapping[str, float]
"""Seconds of the last build, by image name."""
