"""Footprint: the volumes of pods that a tool spawns count as those of a template do."""

from __future__ import annotations

import pytest

from tests.toy import plan, starter

STARTER = {
    # postgres 5Gi + seaweedfs 10Gi + one home
    "home-of-the-size": ("{profile: starter}", "17Gi"),
    "home-of-a-size-of-its-own": (
        "{profile: starter, components: [{name: jupyterhub, values: {homeSize: 3Gi}}]}",
        "18Gi",
    ),
    "no-notebooks": ("{profile: starter, components: [{name: jupyterhub, enabled: false}]}", "15Gi"),
}


@pytest.mark.parametrize(("spec", "storage"), STARTER.values(), ids=STARTER)
def test_a_home_is_counted(spec: str, storage: str) -> None:
    assert plan(spec, catalog=starter()).footprint.storage == storage
