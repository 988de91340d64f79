"""A chart's files, read into memory with limits: those of a folder or of an archive, and of the archives inside it."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from aistack.catalog.charts import folder_files
from aistack.errors import InvalidError

MAX_ARCHIVE = 8 * 1024 * 1024
"""Most bytes of a packed chart."""
MAX_BYTES = 32 * 1024 * 1024
"""Most bytes of all files of a chart together, unpacked."""
MAX_FILES = 5_000
MAX_NESTED = 4
"""Most archives inside each other."""
_MAX_TAR = MAX_BYTES + MAX_FILES * 1024
"""Most bytes of an archive that was decompressed: files and their headers."""
_TOO_MUCH = f"has more than {MAX_FILES} files or {MAX_BYTES // 1024 // 1024} MiB"

ChartFiles = Mapping[str, bytes]
"""Contents by path in the chart's folder; a subchart's archive is unpacked into a folder beside it."""


class ChartError(InvalidError):
    """A chart can't be used."""


class _Budget:
    """What is left to read, over a chart and all that is inside it."""

    def __init__(self) -> None:
        self.bytes, self.files = MAX_BYTES, MAX_FILES

    def take(self, size: int) -> None:
        self.bytes -= size
        self.files -= 1
        if self.bytes < 0 or self.files < 0:
            raise ChartError(_TOO_MUCH)


def read_folder(folder: Path) -> ChartFiles:
    """Read a chart's folder.

    Raises:
        ChartError: it is no chart, too large, or holds something that is no plain file.
    """
    budget, files = _Budget(), {}
    try:
        for name, file in folder_files(folder):
            budget.take(file.stat().st_size)
            files[name] = file.read_bytes()
    except ValueError as error:
        raise ChartError(str(error)) from None
    return _whole(files, budget)


def read_archive(archive: Path) -> ChartFiles:
    """Read a packed chart, whose files lie in one folder.

    Raises:
        ChartError: it is no chart, too large, or holds a link, a device or a path that leads out of it.
    """
    if archive.stat().st_size > MAX_ARCHIVE:
        raise ChartError(f"is larger than {MAX_ARCHIVE // 1024 // 1024} MiB")
    budget = _Budget()
    return _whole(_unpacked(archive.read_bytes(), budget), budget)


def _whole(files: ChartFiles, budget: _Budget) -> ChartFiles:
    if "Chart.yaml" not in files:
        raise ChartError("has no Chart.yaml: it is no chart")
    return _with_nested(files, budget, MAX_NESTED)


def _with_nested(files: ChartFiles, budget: _Budget, depth: int) -> ChartFiles:
    """Put the files of subcharts' archives in the place of the archives."""
    result: dict[str, bytes] = {}
    for path, content in files.items():
        if not _is_subchart(path):
            result[path] = content
            continue
        if depth == 0:
            raise ChartError(f"{path} is packed deeper than {MAX_NESTED} times")
        inner = _with_nested(_unpacked(content, budget, path), budget, depth - 1)
        folder = path.removesuffix(".tgz")
        result |= {f"{folder}/{name}": text for name, text in inner.items()}
    return result


def _is_subchart(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return len(parts) == 2 and parts[0] == "charts" and path.endswith(".tgz")


def _unpacked(content: bytes, budget: _Budget, what: str = "") -> dict[str, bytes]:
    """Return an archive's files without the folder that they all lie in."""
    prefix = f"{what}: " if what else ""
    try:
        with tarfile.open(fileobj=io.BytesIO(_decompressed(content)), mode="r:") as archive:
            return dict(_members(archive, budget, prefix))
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise ChartError(f"{prefix}can't be unpacked: {error}") from None


def _decompressed(content: bytes) -> bytes:
    """Return an archive's bytes, of which tarfile would take as many as a header claims."""
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        found = packed.read(_MAX_TAR + 1)
    if len(found) > _MAX_TAR:
        raise ChartError(_TOO_MUCH)
    return found


def _members(archive: tarfile.TarFile, budget: _Budget, prefix: str) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
            raise ChartError(f"{prefix}holds the path {member.name!r:.120}, which leads out of it")
        if member.isdir():
            continue
        if not member.isreg():
            raise ChartError(f"{prefix}{member.name} is no plain file (a link or a device)")
        budget.take(member.size)
        file = archive.extractfile(member)
        if file is not None and len(path.parts) > 1:
            yield PurePosixPath(*path.parts[1:]).as_posix(), file.read()
