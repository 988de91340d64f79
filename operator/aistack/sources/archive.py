"""Folders as packed files: the same folder gives the same bytes, and nothing that is unpacked leaves its place."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aistack.errors import ArtifactError

_CHUNK = 2**16
_LONGEST = 255
"""Bytes of a file's name."""
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}
_LEFT_OUT = frozenset({"__pycache__", "__MACOSX"})
_HIDDEN_AND_MEANT = frozenset({".helmignore"})


@dataclass(frozen=True)
class Limits:
    """The most that an archive may hold."""

    entries: int = 1_000
    size: int = 16 * 2**20
    """Bytes of all that it unpacks to, names and padding included."""
    depth: int = 12
    """Names in a path."""


def pack(folder: Path) -> bytes:
    """Pack a folder's files; times, owners and modes don't count, and hidden files are left out.

    Raises:
        ArtifactError: it holds a link, or something else that is neither file nor folder.
    """
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, _writer(zipped) as tar:
        for file in _files(folder):
            entry = tarfile.TarInfo(file.relative_to(folder).as_posix())
            content = file.read_bytes()
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _writer(target: gzip.GzipFile) -> tarfile.TarFile:
    return tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in _HIDDEN_AND_MEANT
        if hidden or path.name in _LEFT_OUT:
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise ArtifactError(str(path), "is a link or a special file", "put a plain file in its place")
        yield from _files(path) if path.is_dir() else (path,)


def unpack(name: str, packed: bytes, folder: Path, limits: Limits | None = None) -> None:
    """Unpack into a folder that is empty or new; when it is refused, nothing of it stays.

    Args:
        name: what is unpacked, for messages.
        packed: a tar file, compressed with gzip.
        folder: where to.
        limits: the most that it may hold.

    Raises:
        ArtifactError: it holds anything but plain files in plain folders, more than allowed, or is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as zipped:
            _unpack(name, zipped, folder, limits or Limits())
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, tarfile.TarError | EOFError | zlib.error | UnicodeError | gzip.BadGzipFile):
            remedy = "pack and push it again (aistack component push)"
            raise ArtifactError(name, f"is no tar file compressed with gzip: {error}", remedy) from None
        raise


def _unpack(name: str, zipped: gzip.GzipFile, folder: Path, limits: Limits) -> None:
    bounded = _Bounded(name, zipped, limits.size)
    with tarfile.open(fileobj=bounded, mode="r|", errors="strict") as tar:  # type: ignore[call-overload]  # it reads only
        for number, entry in enumerate(tar, start=1):
            if number > limits.entries:
                raise _refused(name, f"holds more than {limits.entries} entries")
            path = _checked(name, entry, limits)
            try:
                _write(tar, entry, folder / path)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise _refused(name, f"holds {entry.name!r:.200} twice, or as a file and as a folder") from None


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, target: Path) -> None:
    if entry.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = tar.extractfile(entry)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        shutil.copyfileobj(content or io.BytesIO(), file, _CHUNK)


def _checked(name: str, entry: tarfile.TarInfo, limits: Limits) -> PurePosixPath:
    """Return where an entry goes, below the folder."""
    shown = f"{entry.name!r:.200}"
    if entry.type not in _PLAIN or entry.issparse():
        raise _refused(name, f"holds {shown}, which is {_KINDS.get(entry.type, 'no plain file')}")
    path = PurePosixPath(entry.name)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.name:
        raise _refused(name, f"holds {shown}, which leads out of the folder")
    if len(path.parts) > limits.depth:
        raise _refused(name, f"holds {shown}, which is nested deeper than {limits.depth} folders")
    if any(len(part.encode()) > _LONGEST or not part.isprintable() for part in path.parts):
        raise _refused(name, f"holds {shown}, which is no name of a file")
    return path


def _refused(name: str, problem: str) -> ArtifactError:
    return ArtifactError(name, problem, "nothing of it was unpacked; pack plain files only (aistack component push)")


class _Bounded:
    """Reads what is unpacked, and no more of it than is allowed, however little it was packed.

    Args:
        name: what is read, for messages.
        zipped: where from.
        most: bytes that may come.
    """

    def __init__(self, name: str, zipped: gzip.GzipFile, most: int) -> None:
        self._name, self._zipped, self._left, self._most = name, zipped, most, most

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, as many as are asked for.

        Raises:
            ArtifactError: that would be more than is allowed.
        """
        data = self._zipped.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise ArtifactError(self._name, f"unpacks to more than {self._most} bytes", "leave out what isn't needed")
        return data
