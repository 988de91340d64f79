"""Where a stack stands, judged from the object alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from aistack.cli.standing import Standing, standing_of, understood, unseen_for
from aistack.cli.waiting import Goal, ended
from tests.unit.cli.lab import live, status

NOW = datetime(2026, 5, 1, 12, 1, 0, tzinfo=UTC)
DELETED = {"deletionTimestamp": "2026-05-01T12:00:00Z"}
SUSPENDED = {"spec": {"profile": "toy", "suspend": True}}
CASES = [
    pytest.param(live(), Standing.UNSEEN, id="fresh"),
    pytest.param(live(status(generation=1, Ready="Healthy")), Standing.UNSEEN, id="ready-before-the-last-change"),
    pytest.param(live(status(Ready="Healthy")), Standing.READY, id="ready"),
    pytest.param(live(status(Ready="", Reconciling="Progressing")), Standing.WORKING, id="working"),
    pytest.param(live(status(Ready="", Stalled="InvalidSpec")), Standing.STALLED, id="stalled"),
    pytest.param(live(status(Ready="Healthy"), **DELETED), Standing.DELETING, id="deleting-wins"),
    pytest.param(live(status(Ready="")) | SUSPENDED, Standing.SUSPENDED, id="suspended"),
    pytest.param(live(status(Stalled="InvalidSpec")) | {"spec": {"bogus": 1}}, Standing.STALLED, id="unreadable-spec"),
]


@pytest.mark.parametrize(("found", "standing"), CASES)
def test_standing(found: dict[str, Any], standing: Standing) -> None:
    assert standing_of(understood(found)) is standing


@pytest.mark.parametrize(
    ("found", "goal", "ending"),
    [
        pytest.param(live(status(Ready="Healthy")), Goal.READY, "", id="ready"),
        pytest.param(live(status(Ready="")), Goal.READY, None, id="not-yet"),
        pytest.param(live(), Goal.READY, None, id="unseen"),
        pytest.param(live(status(Stalled="InvalidSpec")), Goal.READY, "it is stalled", id="a-person-must-act"),
        pytest.param(live(**DELETED), Goal.READY, "it is deleting", id="never-again"),
        pytest.param(live(status(Ready="Healthy", Proven="Proven")), Goal.PROVEN, "", id="proven"),
        pytest.param(live(status(Ready="Healthy", Proven="")), Goal.PROVEN, None, id="ready, not yet proven"),
        pytest.param(live(status(Ready="", Proven="Proven")), Goal.PROVEN, None, id="proven once, not ready now"),
        pytest.param(None, Goal.READY, "it doesn't exist (any more)", id="gone-instead"),
        pytest.param(None, Goal.DELETED, "", id="gone"),
        pytest.param(live(status(Stalled="InvalidSpec")), Goal.DELETED, None, id="still-there"),
    ],
)
def test_when_waiting_ends(found: dict[str, Any] | None, goal: Goal, ending: str | None) -> None:
    assert ended(understood(found) if found else None, goal) == ending


def test_waiting_for_proofs_ends_where_none_will_run() -> None:
    found = live(status(Ready="Healthy", Proven="")) | {"spec": {"profile": "toy", "proofs": {"every": "off"}}}
    assert "its proofs are off" in (ended(understood(found), Goal.PROVEN) or "")


def test_how_long_the_newest_spec_waits_for_the_operator() -> None:
    writes = [
        {"manager": "kubectl", "time": "2026-05-01T11:00:00Z"},
        {"manager": "aistack-cli", "time": "2026-05-01T12:00:00Z"},
        {"manager": "aistack", "subresource": "status", "time": "2026-05-01T12:00:59Z"},
    ]
    assert unseen_for(live(status(generation=1), managedFields=writes), NOW) == 60
    assert unseen_for(live(status(generation=2), managedFields=writes), NOW) == 0
    assert unseen_for(live(creationTimestamp="2026-05-01T12:00:30Z"), NOW) == 30
