"""Packed folders: the same bytes each time, and nothing unpacked that isn't a plain file in its place."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from aistack.errors import ArtifactError
from aistack.sources.archive import Limits, pack, unpack

Spoil = Callable[[tarfile.TarFile], None]


def packed(*spoil: Spoil) -> bytes:
    """A tar file, compressed."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for each in spoil:
            each(tar)
    return made.getvalue()


def entry(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = "") -> Spoil:
    """An entry, whatever it is."""

    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        info.size = len(content) if kind == tarfile.REGTYPE else 0
        tar.addfile(info, io.BytesIO(content))

    return add


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder worth packing."""
    for name in ("b.txt", "sub/a.txt", "sub/deeper/c.txt", ".hidden", "__pycache__/x.pyc"):
        file = tmp_path / "folder" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "folder"


def test_the_same_folder_gives_the_same_bytes_whoever_packs_it_when(folder: Path) -> None:
    before = pack(folder)
    os.utime(folder / "b.txt", (0, 0))
    (folder / "b.txt").chmod(0o755)

    assert pack(folder) == before


def test_what_was_packed_is_unpacked_but_for_what_editors_and_python_leave(folder: Path, tmp_path: Path) -> None:
    unpack("x", pack(folder), tmp_path / "out")

    files = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert files == {"b.txt", "sub/a.txt", "sub/deeper/c.txt"}
    assert (tmp_path / "out" / "sub" / "a.txt").read_text() == "sub/a.txt"


def test_a_folder_with_a_link_is_not_packed(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(ArtifactError, match="link: is a link or a special file; put a plain file in its place"):
        pack(folder)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(packed(entry("../x")), "'../x', which leads out of the folder", id="parent"),
        pytest.param(packed(entry("a/../../x")), "which leads out of the folder", id="parent later"),
        pytest.param(packed(entry("/etc/x")), "'/etc/x', which leads out of the folder", id="absolute"),
        pytest.param(packed(entry("a\\..\\x")), "which leads out of the folder", id="backslash"),
        pytest.param(packed(entry("x", kind=tarfile.SYMTYPE, link="/etc")), "is a symbolic link", id="symbolic link"),
        pytest.param(packed(entry("x", kind=tarfile.LNKTYPE, link="y")), "is a hard link", id="hard link"),
        pytest.param(packed(entry("x", kind=tarfile.CHRTYPE)), "is a device", id="device"),
        pytest.param(packed(entry("x", kind=tarfile.FIFOTYPE)), "is a pipe", id="pipe"),
        pytest.param(packed(entry("x", kind=tarfile.CONTTYPE)), "is no plain file", id="another kind"),
        pytest.param(packed(entry("x"), entry("x")), "'x' twice, or as a file and as a folder", id="twice"),
        pytest.param(packed(entry("x"), entry("x/y")), "twice, or as a file and as a folder", id="file and folder"),
        pytest.param(packed(entry("x/y"), entry("x")), "twice, or as a file and as a folder", id="folder and file"),
        pytest.param(packed(entry(".")), "twice, or as a file and as a folder", id="the folder itself"),
        pytest.param(packed(entry("/".join("a" * 13))), "nested deeper than 12 folders", id="deep"),
        pytest.param(packed(entry("a" * 256)), "is no name of a file", id="long"),
        pytest.param(packed(entry("a\nb")), "is no name of a file", id="line break"),
        pytest.param(packed(*(entry(f"{n}", b"") for n in range(1001))), "more than 1000 entries", id="many"),
        pytest.param(b"no archive", "is no tar file compressed with gzip", id="nonsense"),
        pytest.param(gzip.compress(b"no tar"), "is no tar file compressed with gzip", id="no tar"),
        pytest.param(packed(entry("x", b"y" * 9999))[:-40], "is no tar file compressed with gzip", id="cut off"),
    ],
)
def test_what_is_not_plain_is_refused_and_leaves_nothing(data: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as refused:
        unpack("hello", data, tmp_path / "out")

    assert told in str(refused.value)
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == [], "nothing beside it either"


def test_a_bomb_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    bomb = packed(entry("x", bytes(256 * 2**20)))
    assert len(bomb) < 2**19
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match="unpacks to more than 1048576 bytes"):
            unpack("bomb", bomb, tmp_path / "out", Limits(size=2**20))
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "out").exists()


def test_a_name_that_claims_to_be_huge_is_no_way_around_the_limit(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**32
    with pytest.raises(ArtifactError, match=r"no tar file|unpacks to more"):
        unpack(
            "bomb",
            gzip.compress(header.tobuf(tarfile.PAX_FORMAT) + bytes(4 * 2**20)),
            tmp_path / "out",
            Limits(size=2**20),
        )


def test_a_file_with_holes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**40)}
    content = b"1\n0\n0\n".ljust(512, b"\0")
    info.size = len(content)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(content))
    with pytest.raises(ArtifactError):
        unpack("holes", made.getvalue(), tmp_path / "out")
