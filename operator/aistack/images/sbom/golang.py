"""Go modules that a program is made of, as the Go linker writes them into it (Go 1.18 and newer)."""

from __future__ import annotations

from collections.abc import Iterator

from aistack.images.sbom.models import Files, Package

_MAGIC, _HEADER = b"\xff Go buildinf:", 32
_INLINE = 2
"""Flag: the two texts follow the header, each after its length."""
_SMALLEST = 1 << 20
_AROUND = 16
"""Bytes before and after the list of modules, to know it by."""
FOLDERS = ("bin/", "sbin/", "/.bin/")


def wanted(path: str, size: int) -> bool:
    """Tell whether a file may be a Go program: they are large, and lie where programs do."""
    return size >= _SMALLEST and "bin" in path.split("/")[:-1]


def build_info(program: bytes) -> bytes:
    """Return what a program says of its making; empty where it isn't Go's or too old."""
    start = program.find(_MAGIC) if program.startswith(b"\x7fELF") else -1
    if start < 0 or not program[start + len(_MAGIC) + 1] & _INLINE:
        return b""
    version, place = _text(program, start + _HEADER)
    modules, _ = _text(program, place)
    return b"go\t" + version + b"\n" + modules[_AROUND:-_AROUND]


def packages(files: Files) -> Iterator[Package]:
    """Yield the modules of every Go program, and Go itself.

    Args:
        files: what :func:`build_info` returned, by the programs' paths.
    """
    for path, content in files.items():
        if not content.startswith(b"go\tgo"):
            continue
        for line in content.decode(errors="replace").splitlines():
            match line.split("\t"):
                case ["go", version]:
                    yield _module("stdlib", version.split()[0].removeprefix("go"), path)
                case ["mod" | "dep" | "=>", module, version, *_]:
                    yield _module(module, version, path)


def _module(module: str, version: str, path: str) -> Package:
    namespace, _, name = module.rpartition("/")
    return Package("golang", name, version, namespace=namespace)


def _text(program: bytes, place: int) -> tuple[bytes, int]:
    """Read a text with its length before it (7 bits a byte, lowest first)."""
    length = shift = 0
    while True:
        byte = program[place]
        place += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return program[place : place + length], place + length
