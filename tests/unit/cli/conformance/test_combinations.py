"""Which stacks a component is tried in."""

from __future__ import annotations

import pytest

from aistack.catalog.models import Catalog
from aistack.cli.conformance.combinations import Combination, combinations
from tests.toy import starter, toy

CASES: dict[str, tuple[Catalog, str, tuple[Combination, ...]]] = {
    "on its own": (toy(), "store", (("store",),)),
    "with each provider of what it needs, and what is optional": (
        toy(),
        "web",
        (("cache", "db", "store", "web"), ("cache", "rival", "store", "web")),
    ),
    "a provider needs none of its own contract": (toy(), "rival", (("rival",),)),
    "what needs each other": (toy(), "ping", (("ping", "pong"),)),
    "what a provider needs": (
        starter(),
        "jupyterhub",
        (("jupyterhub", "mlflow", "postgres", "seaweedfs"), ("jupyterhub", "mlflow", "postgres", "versitygw")),
    ),
}


@pytest.mark.parametrize(("catalog", "component", "expected"), CASES.values(), ids=CASES)
def test_combinations(catalog: Catalog, component: str, expected: tuple[Combination, ...]) -> None:
    assert combinations(catalog, component) == expected
