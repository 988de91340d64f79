"""Calls to one Docker daemon."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.cluster.common.errors import ClusterError
from tests.cluster.common.shell import last_lines, run, succeeds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Docker:
    """One daemon, by the variables that lead the `docker` program and kind to it."""

    env: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, timeout: float | None = None) -> str:
        """Run `docker ARGUMENTS` and return its output.

        Raises:
            ClusterError: it fails; the message quotes it.
        """
        return run(["docker", *arguments], env=self.env, timeout=timeout)

    def succeeds(self, *arguments: str, timeout: float = 10) -> bool:
        """Whether `docker ARGUMENTS` works."""
        return succeeds(["docker", *arguments], env=self.env, timeout=timeout)

    def answers(self) -> bool:
        """Whether the daemon answers at all."""
        return self.succeeds("version", timeout=30)

    def has_image(self, name: str) -> bool:
        """Whether the daemon has this image."""
        return self.succeeds("image", "inspect", name)

    def remove(self, container: str) -> None:
        """Remove a container with its volumes, running or not, if there is one."""
        if self.inspect(container):
            self("rm", "--force", "--volumes", container, timeout=120)

    def inspect(self, name: str) -> dict[str, Any]:
        """A container's facts; empty where there is no such container."""
        if not self.succeeds("container", "inspect", name):
            return {}
        facts: list[dict[str, Any]] = json.loads(self("container", "inspect", name))
        return facts[0]

    def exec(self, container: str, *command: str, timeout: float | None = None) -> str:
        """Run a command in a container and return its output."""
        return self("exec", container, *command, timeout=timeout)

    def feed(self, source: Path, *arguments: str) -> str:
        """Run `docker ARGUMENTS` with a file as its standard input.

        Raises:
            ClusterError: it fails, or the file is not there.
        """
        command = ["docker", *arguments]
        try:
            content = source.open("rb")
        except FileNotFoundError as error:
            raise ClusterError(f"{source} is gone: it was there a moment ago, try again") from error
        with content:
            done = subprocess.run(
                command, env={**os.environ, **self.env}, stdin=content, capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise ClusterError(f"`{' '.join(command[:4])} ...` failed: {last_lines(done.stderr)}")
        return done.stdout
