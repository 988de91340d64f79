"""Runs a program of others with nothing of ours or the user's, and no more time, memory or output than it needs."""

from __future__ import annotations

import os
import resource
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aistack.errors import ToolError

_MIB = 1024 * 1024
_NO_MEMORY = ("out of memory", "cannot allocate memory", "SIGSEGV: segmentation violation")
"""What programs in Go say when they get no more memory; their runtime doesn't look at each answer that it gets."""
_WORDS = 2000
"""Most characters of what a failed program said."""


@dataclass(frozen=True)
class Limits:
    """What a program may use."""

    seconds: float
    memory: int = 192 * _MIB
    """Bytes of data; the program itself comes on top."""
    output: int = 8 * _MIB
    """Bytes of each file that it writes."""


class LimitError(ToolError):
    """A program wanted more than it may use."""


class ExitError(ToolError):
    """A program said that it failed."""


def run_confined(
    command: Sequence[str], limits: Limits, *, given: bytes = b"", settings: Mapping[str, str] | None = None
) -> bytes:
    """Run a program to its end, and return what it wrote to standard output.

    Args:
        command: program and arguments.
        limits: what it may use.
        given: what it reads from standard input.
        settings: its whole environment, besides a home that is empty and goes when it ends.

    Raises:
        LimitError: it took too long, too much memory, or wrote too much.
        ExitError: it failed; with what it said.
        ToolError: it isn't installed.
    """
    with (
        tempfile.TemporaryDirectory(prefix="aistack-") as home,
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        stdin.write(given)
        stdin.seek(0)
        environment = {**_environment(Path(home)), **(settings or {})}
        try:
            child = subprocess.Popen(
                list(command), stdin=stdin, stdout=stdout, stderr=stderr, env=environment, cwd=home, close_fds=True
            )
        except (FileNotFoundError, PermissionError) as error:
            raise ToolError(f"{command[0]} can't be run: {error.strerror}") from None
        code = _wait(child, limits)
        if stdout.seek(0, os.SEEK_END) >= limits.output:  # some programs don't mind when they can't write
            raise LimitError(_too_long(limits))
        if code == 0:
            return _read(stdout, limits.output)
        raise _failure(command[0], code, _read(stderr, limits.output).decode("utf-8", "replace"), limits)


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "TMPDIR": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"}


def _wait(child: subprocess.Popen[bytes], limits: Limits) -> int:
    _confine(child.pid, limits)
    try:
        _await_end(child, limits.seconds)
        return child.wait()
    except subprocess.TimeoutExpired:
        raise LimitError(f"it took longer than {limits.seconds:g} s") from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _await_end(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until a process ends or its time is over; Python's own way sleeps up to 50 ms after the end."""
    if sys.platform != "linux":
        child.wait(seconds)
        return
    handle = os.pidfd_open(child.pid)
    try:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        ended.poll(seconds * 1000)
    finally:
        os.close(handle)
    if child.poll() is None:
        raise subprocess.TimeoutExpired(child.args, seconds)


def _confine(pid: int, limits: Limits) -> None:
    """Set the limits from outside: what runs between fork and exec of a process with threads may hang."""
    if sys.platform != "linux":  # a person's own machine; the operator's is Linux
        return
    seconds = int(limits.seconds) + 1
    for kind, most in (
        (resource.RLIMIT_DATA, limits.memory),
        (resource.RLIMIT_FSIZE, limits.output),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.prlimit(pid, kind, (most, most))
        except ProcessLookupError:  # it has ended already
            return


def _read(file: IO[bytes], most: int) -> bytes:
    file.seek(0)
    return file.read(most)


def _too_long(limits: Limits) -> str:
    return f"it wrote more than {limits.output // _MIB} MiB"


def _failure(program: str, code: int, said: str, limits: Limits) -> ToolError:
    if any(words in said for words in _NO_MEMORY):
        return LimitError(f"it wanted more than {limits.memory // _MIB} MiB of memory")
    if "file too large" in said:
        return LimitError(_too_long(limits))
    if code < 0:
        return LimitError(f"it was ended by signal {-code}, as when it takes longer than {limits.seconds:g} s")
    words = said.strip()
    return ExitError(words[-_WORDS:] if words else f"{Path(program).name} exited {code} and said nothing")
