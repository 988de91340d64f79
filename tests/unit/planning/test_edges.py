"""Edges in a status: what proofs said, who is away, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aistack.api.conditions import Reason
from aistack.api.spec import AIStack
from aistack.api.status import EdgeState, EdgeStatus
from aistack.objects.health import CURRENT, Health, HealthState
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import ActionOutcome, ActionState, ObjectOutcome, Outcome, ProofOutcome, UnitOutcome, Verb
from aistack.objects.proof import EdgeProof, ProofStep
from aistack.planning.edges import edge_states, handled, news, proven_condition, rotated
from aistack.planning.plan import Planned
from tests.toy import plan, stack

THEN = datetime(2030, 1, 1, tzinfo=UTC)
LATER = THEN + timedelta(minutes=5)
PLANNED = plan()
GOOD = EdgeProof(True, (ProofStep("log in", True, 3), ProofStep("read", True, 4)))
WARNED = EdgeProof(True, GOOD.steps, warning="db:8888 can be reached; use a network that enforces NetworkPolicies")
BAD = EdgeProof(False, (ProofStep("log in", False, 3),), "auth", "refused")
SERVER = ObjectRef("apps/v1", "Deployment", "ml", "demo-db")
AWAY = Health(HealthState.IN_PROGRESS, "0 of 1 pods are available")
DONE = ActionState.SUCCEEDED


def outcome(
    sql: EdgeProof | None = GOOD,
    claim: ActionOutcome | None = None,
    database: Health = CURRENT,
    cleanup: tuple[ActionOutcome, ...] = (),
    **proof: Any,
) -> Outcome:
    """What came of the toy: ``web`` uses ``sql`` of ``db``."""
    made = ProofOutcome("web", {"web/sql": sql} if sql else {}, **({"ended": LATER} if sql else {}), **proof)
    other = ProofOutcome("web.worker", {"web/blob": GOOD}, LATER)
    claims = (claim or ActionOutcome("web/sql", DONE), ActionOutcome("web/blob", DONE))
    web = UnitOutcome("web", actions=claims, proofs=(made, other), cleanup=cleanup, complete=True)
    db = UnitOutcome("db", (ObjectOutcome(SERVER, Verb.UNCHANGED, database),), complete=True)
    return Outcome({"db": db, "store": UnitOutcome("store", complete=True), "web": web})


def sql_edge(found: Outcome, before: EdgeStatus | None = None, planned: Planned = PLANNED) -> EdgeStatus:
    if before:
        status = planned.stack.status.model_copy(update={"edges": (before,)})
        planned = replace(planned, stack=planned.stack.model_copy(update={"status": status}))
    return next(e for e in edge_states(planned, found) if e.contract == "sql")


BROKEN_BEFORE = EdgeStatus(
    consumer="web", provider="db", contract="sql", state=EdgeState.BROKEN, last_proven=THEN, message="log in: refused"
)
PROVEN_BEFORE = BROKEN_BEFORE.model_copy(update={"state": EdgeState.PROVEN, "message": ""})
FAILED_CLAIM = ActionOutcome("web/sql", ActionState.FAILED, "the administrator is refused")

STATES: dict[str, tuple[Outcome, EdgeStatus | None, EdgeState, str, datetime | None]] = {
    "proven": (outcome(), None, EdgeState.PROVEN, "", LATER),
    "proven, with a warning": (outcome(WARNED), None, EdgeState.PROVEN, "that enforces NetworkPolicies", LATER),
    "broken": (outcome(BAD), PROVEN_BEFORE, EdgeState.BROKEN, "log in: refused", THEN),
    "never tried": (outcome(None), None, EdgeState.UNPROVEN, "claimed, not tried yet", None),
    "can't be tried": (
        outcome(None, trouble="image can't be pulled"), None,
        EdgeState.UNPROVEN, "its proof can't run: image can't be pulled", None,
    ),
    "being claimed": (
        outcome(None, ActionOutcome("web/sql", ActionState.RUNNING)), None,
        EdgeState.PENDING, "its share is being made", None,
    ),
    "can't be claimed": (
        outcome(GOOD, FAILED_CLAIM), PROVEN_BEFORE,
        EdgeState.BROKEN, "its share can't be made: the administrator is refused", THEN,
    ),
    "new credentials after a success": (outcome(None), PROVEN_BEFORE, EdgeState.UNPROVEN, "not tried yet", THEN),
    "broken until it is proven again": (outcome(None), BROKEN_BEFORE, EdgeState.BROKEN, "log in: refused", THEN),
    "the provider is away": (
        outcome(GOOD, database=AWAY), PROVEN_BEFORE,
        EdgeState.BROKEN, "the provider isn't ready: Deployment demo-db: 0 of 1 pods are available", THEN,
    ),
    "the provider isn't there yet": (outcome(None, database=AWAY), None, EdgeState.UNPROVEN, "not tried yet", None),
    "former credentials can't be ended": (
        outcome(cleanup=(ActionOutcome("web/sql/retire", ActionState.FAILED, "no right"),)), None,
        EdgeState.PROVEN, "its former credentials still work: no right", LATER,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("found", "before", "state", "says", "proven_at"), STATES.values(), ids=STATES)
def test_an_edge(
    found: Outcome, before: EdgeStatus | None, state: EdgeState, says: str, proven_at: datetime | None
) -> None:
    edge = sql_edge(found, before)
    assert edge.state is state
    assert says in edge.message
    assert (edge.message == "") is (says == "")
    assert edge.last_proven == proven_at


def test_a_proof_s_steps_and_fault_are_told() -> None:
    edge = sql_edge(outcome(BAD))
    assert [(s.name, s.ok, s.milliseconds) for s in edge.steps] == [("log in", False, 3)]
    assert (edge.failure, edge.last_run) == ("auth", LATER)
    assert sql_edge(outcome()).failure is None


def test_proofs_that_are_off_say_so() -> None:
    off = plan("{profile: toy, proofs: {every: 'off'}}")
    assert "spec.proofs.every" in sql_edge(outcome(None), planned=off).message


@pytest.mark.parametrize(
    ("found", "reason", "says"),
    [
        (outcome(), Reason.PROVEN, "all 2 connections did real work"),
        (outcome(BAD), Reason.BROKEN, "web → sql (db): log in: refused"),
        (outcome(None), Reason.NOT_PROVEN, "1 of 2 connections are proven; web → sql not yet"),
    ],
    ids=["all", "one is broken", "one is missing"],
)
def test_the_condition(found: Outcome, reason: Reason, says: str) -> None:
    condition = proven_condition(edge_states(PLANNED, found), 7)
    assert (condition.reason, condition.message, condition.observed_generation) == (reason, says, 7)
    assert (condition.status == "True") is (reason is Reason.PROVEN)


def test_nothing_connected_is_nothing_unproven() -> None:
    assert proven_condition((), 1).status == "True"


@pytest.mark.parametrize(
    ("before", "found", "reasons"),
    [
        (PROVEN_BEFORE, outcome(BAD), [Reason.EDGE_BROKEN]),
        (BROKEN_BEFORE, outcome(BAD), []),
        (BROKEN_BEFORE, outcome(), [Reason.EDGE_HEALED]),
        (PROVEN_BEFORE, outcome(), []),
        (None, outcome(), []),
        (None, outcome(BAD), [Reason.EDGE_BROKEN]),
    ],
    ids=["breaks", "stays broken", "heals", "stays proven", "is proven the first time", "never worked"],
)
def test_news(before: EdgeStatus | None, found: Outcome, reasons: list[Reason]) -> None:
    after = sql_edge(found, before)
    assert [reason for reason, _ in news([before] if before else [], [after])] == reasons


def asking(key: str, value: str) -> Planned:
    plain = stack()
    metadata = plain.metadata.model_copy(update={"annotations": {f"aistack.dev/{key}": value}})
    asked: AIStack = plain.model_copy(update={"metadata": metadata})
    steps = [
        replace(unit, proofs=tuple(replace(p, token=value) for p in unit.proofs if "web/sql" in p.edges))
        for unit in PLANNED.plan.units
    ]
    return replace(PLANNED, stack=asked, plan=replace(PLANNED.plan, waves=(tuple(steps),)))


def test_a_request_is_answered_once_its_proofs_ran() -> None:
    planned = asking("prove", "t web/sql")
    assert handled(planned, outcome(BAD)) is None
    assert handled(planned, outcome(BAD, token="t web/sql")) == "t web/sql", "also by a proof that failed"
    assert handled(PLANNED, outcome()) is None, "nobody asked"


RETIRED = (ActionOutcome("web/sql/retire", DONE),)


@pytest.mark.parametrize(
    ("found", "done"),
    [
        (outcome(cleanup=RETIRED), True),
        (outcome(BAD, cleanup=RETIRED), False),
        (outcome(cleanup=(ActionOutcome("web/sql/retire", ActionState.RUNNING),)), False),
        (outcome(cleanup=RETIRED, stale=True), False),
        (outcome(cleanup=RETIRED, running=True), False),
    ],
    ids=["in use and alone", "doesn't work", "the former one still works", "not proven without it", "being proven"],
)
def test_a_rotation_is_done_once_the_new_credentials_work_alone(found: Outcome, done: bool) -> None:
    assert (rotated(asking("rotate", "t web/sql"), found) == "t web/sql") is done


def test_a_rotation_of_no_edge_is_never_done() -> None:
    assert rotated(asking("rotate", "t web/nothing"), outcome()) is None
