"""helm, compiled from its Go module and kept."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common import store
from tests.cluster.common.paths import arch
from tests.cluster.common.shell import run

VERSION = "v4.3.1"
MODULE = f"helm.sh/helm/v4/cmd/helm@{VERSION}"


def helm() -> Path:
    """Return the program; about 3 min the first time."""
    return store.ensure("helm", store.key_of(arch(), MODULE), _build) / "helm"


def _build(target: Path) -> None:
    env = {**ENV, "GOFLAGS": "-ldflags=-s -trimpath", "GOBIN": str(target)}
    run([find_go(), "install", MODULE], env=env, cwd=target, timeout=1200)


if __name__ == "__main__":
    print(helm())
