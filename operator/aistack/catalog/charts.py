"""Helm charts as components: what ``chart`` in component.yaml says, and what is rendered of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from aistack.api.patches import Patch
from aistack.catalog.fields import StrictModel

VALUES_FILE = "values.yaml.j2"
"""The template of a chart's values, beside component.yaml."""
VALUES = "chart"
"""The value of a component under which users reach the chart's own values."""
RELEASE = "release"
"""What component.yaml calls the release, whose name a stack's and a component's make."""
_REPOSITORY = r"^(https|oci)://[a-zA-Z0-9][-a-zA-Z0-9.]*(:[0-9]{1,5})?(/[-a-zA-Z0-9._~]+)*/?$"


def _inside(path: str) -> str:
    """Return a path unless it leads out of the folder that it is relative to."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path:
        raise ValueError("is no path inside the folder")
    return path


InnerPath = Annotated[str, AfterValidator(_inside)]


class Chart(StrictModel):
    """The Helm chart that a component is made of: a folder of the component's, or an archive in a repository.

    ``digest`` is that of the archive as ``helm pull`` writes it, whatever repository it lies in. ``without`` are files
    of the chart that are left out, e.g. a template with ``lookup``. ``secrets`` are Secrets that the chart fills with
    what differs each time: they are made once and kept. ``patches`` are for what no value of the chart reaches. Names
    in both are those that objects have where the release is named ``release``.
    """

    path: InnerPath | None = None
    repository: Annotated[str, StringConstraints(pattern=_REPOSITORY)] | None = None
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=64)] | None = None
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+([-+][-+.a-zA-Z0-9]+)?$")] | None = None
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    without: tuple[InnerPath, ...] = ()
    secrets: tuple[Annotated[str, StringConstraints(pattern=rf"^{RELEASE}(-[a-z0-9]+)*$")], ...] = ()
    patches: tuple[Patch, ...] = Field(default=(), max_length=16)

    @model_validator(mode="after")
    def _one_place(self) -> Chart:
        remote = {key: getattr(self, key) for key in ("repository", "name", "version", "digest")}
        if self.path is not None:
            if given := [key for key, value in remote.items() if value is not None]:
                raise ValueError(f"path names a folder of the component's; leave out {', '.join(given)}")
        elif missing := [key for key, value in remote.items() if value is None]:
            raise ValueError(f"lacks {', '.join(missing)}; write path for a folder, or all of {', '.join(remote)}")
        return self


def in_release(name: str, release: str) -> str:
    """Return the name that an object has in a release, from what component.yaml calls it."""
    first, dash, rest = name.partition("-")
    return f"{release}{dash}{rest}" if first == RELEASE else name


@dataclass(frozen=True)
class ChartSource:
    """A component's chart as it was loaded: equal sources give equal objects, and ``digest`` tells them apart."""

    chart: Chart = field(hash=False)
    digest: str
    values: str
    """Text of the template of its values."""
    component: str
    """The component's folder, relative to the catalog, for messages."""
    folder: Path | None = field(default=None, repr=False, compare=False)
    """Where a chart that isn't remote lies."""

    @property
    def title(self) -> str:
        """The chart in words."""
        if self.folder is not None:
            return f"{self.component}/{self.chart.path}"
        return f"{self.chart.name} {self.chart.version} of {self.chart.repository}"


@dataclass(frozen=True)
class ChartRequest:
    """Asks for what a chart makes of values; equal requests give equal objects."""

    source: ChartSource
    release: str
    namespace: str
    values: bytes
    """Canonical JSON."""


@dataclass(frozen=True)
class ChartFacts:
    """What is told of a chart without rendering it."""

    name: str
    version: str
    definitions: tuple[str, ...] = ()
    """Files of its ``crds/``, which a stack never installs."""
    tests: tuple[str, ...] = ()
    """Templates with Helm's tests, which aren't run: a contract's proof is."""


def folder_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield a folder's files in name order, each with its path in the folder.

    Raises:
        ValueError: one of them is neither a file nor a folder, e.g. a link.
    """
    for entry in sorted(folder.rglob("*")):
        name = entry.relative_to(folder).as_posix()
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            raise ValueError(f"{name} is no plain file")
        if entry.is_file():
            yield name, entry


def folder_digest(folder: Path) -> str:
    """Hash a folder's files, names and contents.

    Raises:
        ValueError: one of them is no plain file.
    """
    content = hashlib.sha256()
    for name, file in folder_files(folder):
        content.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return f"sha256:{content.hexdigest()}"


@dataclass(frozen=True)
class ChartObject:
    """One document that a chart made, as parsed, and the template that made it."""

    template: str
    document: Any


ChartObjects = tuple[ChartObject, ...]
"""What a chart makes of values; whoever gets it must not change it."""
