"""Images, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from aistack.cli.present.table import PlainTable
from aistack.images import ImageState


def images_table(states: Sequence[ImageState]) -> PlainTable:
    """Return a row for each image; those that only others are built on are marked."""
    table = PlainTable("IMAGE", "REFERENCE", "BUILT", "SIZE", "ABOUT")
    for state in states:
        image = state.step.image
        built = Text("yes", "green") if state.built else Text("no", "dim")
        size = f"{state.size / 1e6:.0f} MB" if state.size else "-"
        about = image.declared.about + ("" if image.runs else " (base)")
        table.add_row(image.name, Text(image.reference), built, size, Text(about))
    return table
