"""What the operator's image installs: uv.lock, in the form that its build reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "manifests" / "images" / "operator"
UV = Path(sys.executable).parent / "uv"
HEADER = "# Made from uv.lock by `make generate`; don't edit.\n"
WHAT = {
    "requirements.txt": ("--no-dev", "--no-emit-project"),
    "build-requirements.txt": ("--only-group", "build"),
}


def locks() -> Iterator[tuple[Path, str]]:
    """Yield each list of packages and what it must hold; no network is asked."""
    for name, options in WHAT.items():
        command = [UV, "export", "--quiet", "--frozen", "--no-header", "--no-annotate", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        yield FOLDER / name, HEADER + done.stdout
