"""helm, compiled from its Go module and kept."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aistack.sources.helm import PROGRAM
from tests.cluster.build.golang import installed
from tests.cluster.common import store
from tests.cluster.common.paths import arch

VERSION = "v4.3.1"
MODULE = f"helm.sh/helm/v4/cmd/helm@{VERSION}"


def place() -> Path:
    """Return where the program is once it is built."""
    return store.artefact("helm", store.key_of(arch(), MODULE)) / "helm"


def use() -> None:
    """Have charts rendered by it in this process and those that it starts, unless another one is named."""
    os.environ.setdefault(PROGRAM, str(place()))


def helm() -> Path:
    """Return the program; about 3 min the first time."""
    return installed("helm", MODULE)


@dataclass
class Helm:
    """helm, as a user calls it."""

    kubeconfig: Path | None = None

    def run(self, *args: str | Path, values: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        """Run it; values go in as a file on standard input."""
        options = ["--kubeconfig", self.kubeconfig] if self.kubeconfig else []
        given = [] if values is None else ["--values", "-"]
        command = [helm(), *args, *given, *options]
        return subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True, check=False)

    def must(self, *args: str | Path, values: dict[str, Any] | None = None) -> str:
        """Run it, and expect success."""
        done = self.run(*args, values=values)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


if __name__ == "__main__":
    print(helm())
