"""Folders that live as long as what was loaded from them: a chart's files are read when it is first rendered."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterable
from pathlib import Path

from aistack.catalog.models import Component


def keep_for_charts(folder: Path, components: Iterable[Component]) -> None:
    """Remove a folder once no component needs a chart in it any more: at once, if none has one.

    Args:
        folder: where they were loaded from.
        components: all that were.
    """
    holders = [c for c in components if c.chart is not None and c.chart.folder is not None]
    left = len(holders)

    def gone() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            shutil.rmtree(folder, ignore_errors=True)

    for holder in holders:
        weakref.finalize(holder, gone)
    if not holders:
        gone()
