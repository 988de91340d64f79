"""Running commands: output is kept for the error message, and an error is one line."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.cluster.common.errors import ClusterError, CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
) -> str:
    """Run a command to its end and return its standard output.

    Args:
        command: program and arguments; never a shell string.
        env: variables set besides the inherited ones.
        cwd: working directory.
        stdin: text for standard input; nothing otherwise.
        timeout: seconds after which the command is killed.

    Raises:
        CommandError: it fails.
        ClusterError: it can't be started or takes too long.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"{words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"`{brief(words)}` did not end within {timeout:.0f} s") from error
    if done.returncode:
        output = done.stderr or done.stdout
        raise CommandError(f"`{brief(words)}` failed ({done.returncode}): {last_lines(output)}", output)
    return done.stdout


def succeeds(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 10,
) -> bool:
    """Whether a command exists and exits with 0 in time."""
    try:
        run(command, env=env, cwd=cwd, timeout=timeout)
    except ClusterError:
        return False
    return True


def brief(words: Sequence[str], limit: int = 90) -> str:
    """A command on one short line."""
    text = " ".join(words)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def last_lines(output: str, count: int = 3) -> str:
    """The last lines of a program's output joined into one: where programs say why they failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " | ".join(lines[-count:]) or "no output"
