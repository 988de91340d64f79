"""The engine's settings fit the catalog."""

from __future__ import annotations

import pytest

from aistack.settings import KINDS, engine_settings
from tests.toy import plan, starter


def test_every_kind_that_the_catalog_makes_is_watched_from_the_start() -> None:
    """What isn't would be left behind by a stack whose inventory was lost."""
    units = plan("{profile: starter, expose: {host: a.b, className: x}}", catalog=starter()).plan.units
    made = {step.ref.object_kind for unit in units for step in (*unit.objects(), *unit.actions)}

    assert made <= set(KINDS)


@pytest.mark.parametrize(
    ("served", "scope", "serves"),
    [
        pytest.param((), "", True, id="all namespaces at once"),
        pytest.param(("ml", "team"), "ml", True, id="each that is served by itself"),
        pytest.param(("team",), "ml", False, id="none but those that are served"),
    ],
)
def test_where_an_owner_s_objects_are_followed(served: tuple[str, ...], scope: str, serves: bool) -> None:
    settings = engine_settings(served=served)
    assert (settings.scope("ml"), settings.serves("ml")) == (scope, serves)
