"""The folder of built archives: what is there, how long builds took, what can go."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from aistack.images.models import BuildPlan, BuildStep, ImageState, Timings

BILL = ".cdx.json"
"""How the names of bills of materials end, which lie beside archives."""
_TIMINGS = "timings.json"
_BASE_SECONDS, _PACKAGE_SECONDS = 15.0, 0.8


def default_cache() -> Path:
    """Return the user's cache folder for images: ``~/.cache/aistack/images`` (honours XDG_CACHE_HOME)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aistack" / "images"


def states(plan: BuildPlan) -> list[ImageState]:
    """Return for each image whether its archive is there, and its size."""
    return [ImageState(step, (size := archive_size(step)) > 0, size) for step in plan.steps]


def archive_size(step: BuildStep) -> int:
    """Return the archive's size in bytes, 0 where it isn't built."""
    return step.archive.stat().st_size if step.archive.is_file() else 0


def estimate(step: BuildStep, timings: Timings) -> float:
    """Return the seconds a build may take: what it took last, else a guess from the number of locked packages."""
    return timings.get(step.image.name) or _BASE_SECONDS + _PACKAGE_SECONDS * step.packages


def read_timings(cache: Path) -> dict[str, float]:
    """Return the seconds of earlier builds; an unreadable file counts as none."""
    try:
        found = json.loads((cache / _TIMINGS).read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {str(name): float(seconds) for name, seconds in found.items()}


def note_timing(cache: Path, name: str, seconds: float) -> None:
    """Remember how long a build took."""
    known = read_timings(cache) | {name: round(seconds, 1)}
    (cache / _TIMINGS).write_text(json.dumps(known, indent=1, sort_keys=True), "utf-8")


def prune(plans: Iterable[BuildPlan]) -> list[Path]:
    """Remove archives that newer ones have replaced, and return them.

    Args:
        plans: the whole plan for each platform; their archives stay, and so do those of images that they don't have.
    """
    steps = [step for plan in plans for step in plan.steps]
    keep = {step.archive for step in steps}
    ours = {file for step in steps for file in step.archive.parent.glob(f"{step.image.stem}-*-*.tar")}
    gone = sorted(ours - keep)
    for file in gone:
        file.unlink()
        file.with_suffix(BILL).unlink(missing_ok=True)
    return gone
