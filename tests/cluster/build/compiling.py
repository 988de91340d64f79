"""One `go build` of programs that a Go module of ours pins, with signs of life."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common.errors import ClusterError
from tests.cluster.common.shell import last_lines

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.common.progress import Step

_VERSION = "k8s.io/component-base/version"


def version_flags(version: str) -> str:
    """Return the linker's flags that tell Kubernetes' programs which version they are.

    Args:
        version: with its ``v``.
    """
    major, minor, _ = version.removeprefix("v").split(".")
    return (
        f"-s -w -X {_VERSION}.gitVersion={version} -X {_VERSION}.gitMajor={major}"
        f" -X {_VERSION}.gitMinor={minor} -X {_VERSION}.gitTreeState=clean"
    )


@dataclass
class Compilation:
    """Builds of one module into one folder; they count what they compile together."""

    module: Path
    target: Path
    ldflags: str
    about: int
    """How many packages there are to compile, for the eye."""
    step: Step
    count: int = 0

    def build(self, packages: tuple[str, ...]) -> None:
        """Run one `go build`, which names each package as it compiles it.

        Raises:
            ClusterError: there is no Go, or it failed.
        """
        self.step.detail = "looking for Go"
        go = find_go(self.module)
        self.step.detail = "nothing compiled yet"
        options = ["-v", "-buildvcs=false", "-trimpath", "-ldflags", self.ldflags, "-o", f"{self.target}/"]
        seen: list[str] = []
        with subprocess.Popen(
            [str(go), "build", *options, *packages],
            cwd=self.module,
            env={**os.environ, **ENV},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as build:
            for line in build.stderr or ():
                seen = [*seen[-9:], line]
                self._tell(line)
        if build.returncode:
            raise ClusterError(f"go build failed: {last_lines(''.join(seen), 5)}")

    def _tell(self, line: str) -> None:
        if line.startswith("go: downloading"):
            self.step.detail = "downloading modules"
        elif not line.startswith("go: "):
            self.count += 1
            self.step.detail = f"{self.count} of about {self.about} packages compiled"
