"""versitygw: an S3 server of another make than ours, compiled from its Go module and kept."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.build.golang import ENV, find_go
from tests.cluster.common import store
from tests.cluster.common.paths import arch
from tests.cluster.common.shell import run

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"


def versitygw() -> Path:
    """Return the program; about 1 min the first time."""
    return store.ensure("versitygw", store.key_of(arch(), MODULE), _build) / "versitygw"


def _build(target: Path) -> None:
    env = {**ENV, "GOFLAGS": "-ldflags=-s -trimpath", "GOBIN": str(target)}
    run([find_go(), "install", MODULE], env=env, cwd=target, timeout=1200)
