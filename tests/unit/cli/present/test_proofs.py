"""What ``aistack prove`` shows: to people, and to programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from aistack.api.status import EdgeStatus
from aistack.cli.present.proofs import junit, proof_line, proofs_data, proofs_table, runs_of, tried

THEN, NOW = datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 5, 1, 13, tzinfo=UTC)


def edge(contract: str = "sql", *, ok: bool = True, **given: Any) -> EdgeStatus:
    """An edge that was proven, or broke at its second step."""
    steps = [{"name": "log in", "ok": True, "milliseconds": 200}, {"name": "insert", "ok": ok, "milliseconds": 1100}]
    broken = {} if ok else {"failure": "auth", "message": "insert: permission denied"}
    state = "Proven" if ok else "Broken"
    return EdgeStatus.model_validate(
        {"from": "web", "to": "db", "contract": contract, "state": state, "steps": steps, "lastRun": NOW}
        | broken
        | given
    )


def lines(*edges: EdgeStatus, done: set[str]) -> list[str]:
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        console.print(proofs_table(edges, done))
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_the_table_tells_what_came_of_what_was_tried() -> None:
    shown = lines(edge(), edge("blob", ok=False), edge("cache"), done={"web/sql", "web/blob"})
    assert shown == [
        "CONNECTION PROVIDER STATE STEPS TIME MESSAGE",
        "web/sql db Proven 2 of 2 1.3s",
        "web/blob db Broken 1 of 2 1.3s insert: permission denied",
        "web/cache db …",
    ]


def test_a_line_tells_the_same() -> None:
    assert proof_line(edge()) == "web/sql  Proven  2 steps, 1.3s"
    assert proof_line(edge(ok=False)) == "web/sql  Broken  2 steps, 1.3s: insert: permission denied"
    assert proof_line(edge(steps=[])) == "web/sql  Proven  0 steps, -"


def test_an_edge_was_tried_if_a_proof_ended_since() -> None:
    before = runs_of([edge(lastRun=THEN), edge("blob"), edge("cache", lastRun=None)])
    assert tried([edge(), edge("blob"), edge("cache")], before) == {"web/sql", "web/cache"}


def test_programs_get_the_edge_as_the_status_has_it() -> None:
    assert proofs_data([edge(ok=False)], set())[0] | {"steps": []} == {
        "edge": "web/sql",
        "tried": False,
        "from": "web",
        "to": "db",
        "contract": "sql",
        "state": "Broken",
        "lastRun": "2026-05-01T13:00:00Z",
        "failure": "auth",
        "message": "insert: permission denied",
        "steps": [],
    }


@pytest.mark.parametrize(
    ("found", "done", "expected"),
    [
        pytest.param(edge(), True, [("log in", ""), ("insert", "")], id="proven"),
        pytest.param(edge(ok=False), True, [("log in", ""), ("insert", "failure")], id="broken at a step"),
        pytest.param(edge(ok=False), False, [("run", "error")], id="not tried in time"),
        pytest.param(edge(state="Broken", steps=[]), True, [("run", "error")], id="its proof could not run"),
    ],
)
def test_junit_has_a_case_for_each_step(found: EdgeStatus, done: bool, expected: list[tuple[str, str]]) -> None:
    (suite,) = ElementTree.fromstring(junit("demo", [found], {"web/sql"} if done else set()))  # noqa: S314  # our own
    assert [(case.get("name"), "".join(child.tag for child in case)) for case in suite] == expected
    assert suite.get("tests") == str(len(expected))
    counted = int(suite.get("failures", "")) + int(suite.get("errors", ""))
    assert counted == sum(bool(kind) for _, kind in expected)
