"""Runs other programs; their output goes to a log file, and a failure says what they said last."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aistack.errors import ToolError

_LAST_LINES = 15

Run = Callable[..., str]
"""``run(command, env=…, log=…)``: the program's standard output."""


def available(program: str) -> bool:
    """Tell whether a program is on PATH."""
    return shutil.which(program) is not None


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None) -> str:
    """Run a program to its end.

    Args:
        command: program and arguments.
        env: variables besides the process's own.
        log: file that gets all output; without it standard output is returned.

    Raises:
        ToolError: it isn't installed, or exits other than 0; with its last lines.
    """
    environment = {**os.environ, **(env or {})}
    try:
        if log is not None:
            return _logged(command, environment, log)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolError(f"{command[0]} is not installed") from None
    if done.returncode:
        raise _failed(command, done.returncode, done.stderr + done.stdout)
    return done.stdout


def _logged(command: Sequence[str], env: Mapping[str, str], log: Path) -> str:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        code = subprocess.run(command, env=env, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        raise _failed(command, code, f"{log.read_text('utf-8', errors='replace').rstrip()}\n(all of it: {log})")
    return ""


def _failed(command: Sequence[str], code: int, output: str) -> ToolError:
    last = "\n".join(output.strip().splitlines()[-_LAST_LINES:])
    return ToolError(f"{' '.join(command[:2])} exited {code}:\n{last}")
