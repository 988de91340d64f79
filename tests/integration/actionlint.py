"""actionlint, compiled from its Go module and kept."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.build.golang import installed

VERSION = "v1.7.12"
ROOT = Path(__file__).resolve().parents[2]


def actionlint() -> Path:
    """Return the program; under a minute the first time."""
    return installed("actionlint", f"github.com/rhysd/actionlint/cmd/actionlint@{VERSION}")


if __name__ == "__main__":
    print(actionlint())
