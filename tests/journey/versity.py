"""versitygw: an S3 server of another make than ours, compiled from its Go module and kept."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.build.golang import installed

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"


def versitygw() -> Path:
    """Return the program; about 1 min the first time."""
    return installed("versitygw", MODULE)
