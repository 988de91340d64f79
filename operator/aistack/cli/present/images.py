"""Images, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from aistack.cli.present.table import PlainTable
from aistack.images import ImageState

if TYPE_CHECKING:
    from aistack.cli.airgap import Locked


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


def lock_table(locked: Sequence[Locked]) -> PlainTable:
    """Show all that stacks pull, and what it is for."""
    digests = any(item.digest for item in locked)
    table = PlainTable("IMAGE", *(["DIGEST"] if digests else []), "FOR", "STACKS")
    for item in locked:
        digest = [item.digest or "not there"] if digests else []
        table.add_row(Text(item.image.reference), *digest, ", ".join(item.image.uses), ", ".join(item.stacks))
    return table


def lock_data(item: Locked) -> dict[str, object]:
    """Return the same as plain data, for programs."""
    image = item.image
    return {
        "reference": image.reference,
        "published": image.published,
        "digest": item.digest or None,
        "uses": list(image.uses),
        "stacks": list(item.stacks),
        "platforms": list(image.platforms),
    }
