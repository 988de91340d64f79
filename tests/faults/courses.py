"""What a stack's life may go through: the stages, and the courses that they make."""

from __future__ import annotations

from pathlib import Path

from tests.faults.life import FIRST, Life
from tests.faults.stage import Stage
from tests.toy import toy_copy

CHANGED = {
    **FIRST,
    "components": [{"name": "web", "values": {"title": "Changed", "users": ["admin", "ann"]}}, {"name": "cache"}],
}
LESS = {**CHANGED, "components": [{"name": "web", "values": {"title": "Changed", "users": ["admin", "ann"]}}]}


async def _create(life: Life) -> None:
    life.operator.start()
    await life.create(FIRST)


async def _restart(life: Life) -> None:
    life.operator.kill()


async def _change(life: Life) -> None:
    await life.change(CHANGED)


async def _rotate(life: Life) -> None:
    await life.rotate()


async def _remove(life: Life) -> None:
    await life.change(LESS)


async def _keep(life: Life) -> None:
    await life.change({**FIRST, "deletionPolicy": "Retain"})
    await life.delete()


async def _delete(life: Life) -> None:
    await life.delete()


async def _upgrade(life: Life) -> None:
    life.operator.kill()
    life.operator.catalog = newer(life.plane.folder / "newer")
    life.forget_status()


def newer(folder: Path) -> Path:
    """Return the catalog of a newer operator: other images, other claims of one contract."""
    catalog = folder / "catalog"
    if not catalog.exists():
        toy_copy(folder)
        for path, old, new in (
            ("components/web/component.yaml", 'versions: ["3"]', 'versions: ["4", "3"]'),
            ("components/web/component.yaml", "tag: 3.0-1", "tag: 4.0-1"),
            ("components/store/component.yaml", "licence: Apache-2.0", "licence: MIT"),
            ("contracts/sql/claim.py", "Makes nothing", "Still makes nothing"),
        ):
            text = (catalog / path).read_text()
            (catalog / path).write_text(text.replace(old, new))
    return catalog


CREATE = Stage("create", _create)
CHANGING: tuple[Stage, ...] = (
    CREATE,
    Stage("restart", _restart, still=True),
    Stage("change", _change),
    Stage("rotate", _rotate),
    Stage("remove", _remove),
)
DELETING: tuple[Stage, ...] = (CREATE, Stage("delete", _delete, gone=True))
KEEPING: tuple[Stage, ...] = (CREATE, Stage("keep", _keep, gone=True))
UPGRADING: tuple[Stage, ...] = (CREATE, Stage("upgrade", _upgrade))
COURSES: dict[str, tuple[Stage, ...]] = {
    "changing": CHANGING,
    "deleting": DELETING,
    "keeping": KEEPING,
    "upgrading": UPGRADING,
}
"""What a life may go through; each begins with the creation."""
