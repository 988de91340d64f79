"""The engine's settings fit the catalog."""

from __future__ import annotations

from aistack.settings import KINDS
from tests.toy import plan, starter


def test_every_kind_that_the_catalog_makes_is_watched_from_the_start() -> None:
    """What isn't would be left behind by a stack whose inventory was lost."""
    units = plan("{profile: starter, expose: {host: a.b, className: x}}", catalog=starter()).plan.units
    made = {step.ref.object_kind for unit in units for step in (*unit.objects(), *unit.actions)}

    assert made <= set(KINDS)
