"""Status: told from what was planned and what came of it; one table maps every kind of failure to its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aistack.api.conditions import ConditionStatus, ConditionType, Reason
from aistack.api.status import AIStackStatus, ComponentPhase, EdgeState
from aistack.errors import (
    AIStackError,
    ArtifactError,
    AwaitedError,
    CatalogError,
    ClusterError,
    ForbiddenError,
    ForeignObjectError,
    InvalidError,
    NonconformingError,
    NotLeadingError,
    NotReadyError,
    RegistryError,
    SpecError,
    ToolError,
)
from aistack.objects.health import CURRENT, Health, HealthState
from aistack.objects.manifest import ObjectRef
from aistack.objects.outcome import ActionOutcome, ActionState, ObjectOutcome, Outcome, UnitOutcome, Verb
from aistack.planning.summarize import summarize, summarize_deletion, summarize_refusal, summarize_suspension
from aistack.planning.verdict import MAX_MESSAGE
from tests.toy import plan, stack

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PLANNED = plan()
CLAIMED = (ActionOutcome("web/sql", ActionState.SUCCEEDED), ActionOutcome("web/blob", ActionState.SUCCEEDED))
DEPLOYMENT = ObjectRef("apps/v1", "Deployment", "ml", "demo-web")
READY, FAILED, PROGRESSING = ComponentPhase.READY, ComponentPhase.FAILED, ComponentPhase.PROGRESSING
PENDING, SUSPENDED = ComponentPhase.PENDING, ComponentPhase.SUSPENDED


def unit(name: str, **fields: Any) -> UnitOutcome:
    return UnitOutcome(name, **{"complete": True, **fields})


def outcome(web: UnitOutcome, **fields: Any) -> Outcome:
    return Outcome({"db": unit("db"), "store": unit("store"), "web": web}, **fields)


def web(
    state: HealthState = HealthState.CURRENT, verb: Verb = Verb.UNCHANGED, note: str = "", **fields: Any
) -> UnitOutcome:
    health = CURRENT if state is HealthState.CURRENT else Health(state, "1 of 2 pods are available")
    return unit("web", **{"actions": CLAIMED, **fields}, objects=(ObjectOutcome(DEPLOYMENT, verb, health, note),))


def conditions(status: AIStackStatus) -> tuple[bool, bool, bool, str]:
    """Ready, Reconciling and Stalled, and the reason of Ready."""
    by_type = {c.type: c for c in status.conditions}
    assert set(by_type) == set(ConditionType), "every type is present"
    assert by_type[ConditionType.PROVEN].status is ConditionStatus.FALSE, "no proof has run yet"
    true = [by_type[t].status is ConditionStatus.TRUE for t in (ConditionType.READY, ConditionType.RECONCILING)]
    stalled = by_type[ConditionType.STALLED].status is ConditionStatus.TRUE
    return true[0], true[1], stalled, by_type[ConditionType.READY].reason


IS_READY, WORKS, STALLED, RESTS = (
    (True, False, False),
    (False, True, False),
    (False, False, True),
    (False, False, False),
)

OUTCOMES: dict[str, tuple[Outcome, tuple[bool, bool, bool], Reason, ComponentPhase, str]] = {
    "all-healthy": (outcome(web()), IS_READY, Reason.HEALTHY, READY, ""),
    "waits-for-a-provider": (
        outcome(UnitOutcome("web", waiting_for=("db",))),
        WORKS, Reason.PROGRESSING, PENDING, "waits for db",
    ),
    "pods-start": (
        outcome(web(HealthState.IN_PROGRESS)),
        WORKS, Reason.PROGRESSING, PROGRESSING, "Deployment demo-web: 1 of 2 pods are available",
    ),
    "is-being-deleted-by-somebody": (
        outcome(web(HealthState.TERMINATING)), WORKS, Reason.PROGRESSING, PROGRESSING, "Deployment demo-web",
    ),
    "rollout-failed": (
        outcome(web(HealthState.FAILED)), WORKS, Reason.UNHEALTHY, FAILED, "Deployment demo-web",
    ),
    "image-cannot-be-pulled": (
        outcome(web(HealthState.IN_PROGRESS, pod_problems=("pod x: can't pull image y",))),
        WORKS, Reason.UNHEALTHY, FAILED, "pod x: can't pull image y",
    ),
    "claim-runs": (
        outcome(unit("web", actions=(ActionOutcome("web/sql", ActionState.RUNNING),), complete=False)),
        WORKS, Reason.PROGRESSING, PROGRESSING, "claims its share of sql",
    ),
    "claim-failed": (
        outcome(unit("web", actions=(ActionOutcome("web/sql", ActionState.FAILED, "no route"),), complete=False)),
        WORKS, Reason.CLAIM_FAILED, FAILED, "claiming its share of sql failed and is tried again: no route",
    ),
    "job-of-a-chart-runs": (
        outcome(unit("web", actions=(ActionOutcome("web/hook/demo-web-up", ActionState.RUNNING),), complete=False)),
        WORKS, Reason.PROGRESSING, PROGRESSING, "runs the Job demo-web-up",
    ),
    "job-of-a-chart-failed": (
        outcome(unit("web", actions=(ActionOutcome("web/hook/x-up", ActionState.FAILED, "no"),), complete=False)),
        WORKS, Reason.UNHEALTHY, FAILED, "the chart's Job x-up failed and is tried again: no",
    ),
    "not-all-written": (
        outcome(unit("web", actions=CLAIMED, complete=False)),
        WORKS, Reason.PROGRESSING, PROGRESSING, "is being written",
    ),
    "component-suspended": (
        outcome(UnitOutcome("web", suspended=True)), RESTS, Reason.SUSPENDED, SUSPENDED, "left as it is, as spec says",
    ),
    "error-of-one-component": (
        outcome(UnitOutcome("web", errors=(ForeignObjectError("Service ml/demo-web"),))),
        STALLED, Reason.FOREIGN_OBJECT, FAILED, "Service ml/demo-web exists and was not made by this stack",
    ),
    "error-that-may-pass": (
        outcome(UnitOutcome("web", errors=(ClusterError("quota exceeded", 403),))),
        WORKS, Reason.WAITING, PROGRESSING, "quota exceeded",
    ),
    "edit-left-alone": (
        outcome(web(verb=Verb.CONTESTED, note="spec.replicas by kubectl")),
        IS_READY, Reason.CONTESTED, READY, "spec.replicas by kubectl",
    ),
    "edit-only-reported": (
        outcome(web(verb=Verb.DRIFTED, note="spec.replicas by kubectl")),
        IS_READY, Reason.DRIFTED, READY, "spec.replicas by kubectl",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("came", "true", "reason", "phase", "message"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_came_of_a_plan(
    came: Outcome, true: tuple[bool, bool, bool], reason: Reason, phase: ComponentPhase, message: str
) -> None:
    status = summarize(PLANNED, came, NOW)
    assert conditions(status) == (*true, reason)
    found = next(c for c in status.components if c.name == "web")
    assert found.phase is phase
    assert message in found.message
    assert status.components_ready == ("3/3" if phase is READY else "2/3")
    assert message in status.message or phase is READY
    assert {c.observed_generation for c in status.conditions} == {status.observed_generation}


def test_an_edge_is_unproven_only_once_its_share_was_claimed() -> None:
    half = (CLAIMED[0], ActionOutcome("web/blob", ActionState.RUNNING))
    edges = summarize(PLANNED, outcome(web(actions=half)), NOW).edges
    assert {(e.consumer, e.provider, e.contract): e.state for e in edges} == {
        ("web", "db", "sql"): EdgeState.UNPROVEN,
        ("web", "store", "blob"): EdgeState.PENDING,
    }


def test_two_shares_of_one_contract_are_one_edge_named_after_the_contract() -> None:
    sql, *others = PLANNED.wiring.edges
    auth = replace(sql, require=sql.require.model_copy(update={"name": "auth"}))
    planned = replace(PLANNED, wiring=replace(PLANNED.wiring, edges=(sql, auth, *others)))
    for state, expected in ((ActionState.RUNNING, EdgeState.PENDING), (ActionState.SUCCEEDED, EdgeState.UNPROVEN)):
        actions = (*CLAIMED, ActionOutcome("web/auth", state))
        edges = summarize(planned, outcome(web(actions=actions)), NOW).edges
        assert [(e.contract, e.state) for e in edges] == [("sql", expected), ("blob", EdgeState.UNPROVEN)]


def test_what_was_said_of_a_suspended_component_s_edges_stays() -> None:
    first = summarize(PLANNED, outcome(web()), NOW)
    seen = replace(PLANNED, stack=PLANNED.stack.model_copy(update={"status": first}))
    suspended = outcome(UnitOutcome("web", suspended=True))
    assert summarize(seen, suspended, NOW).edges == first.edges
    assert {e.state for e in first.edges} == {EdgeState.UNPROVEN}
    assert {e.state for e in summarize(PLANNED, suspended, NOW).edges} == {EdgeState.PENDING}, "nothing was said yet"


SUSPENDED_DB, PENDING_WEB = UnitOutcome("db", suspended=True), UnitOutcome("web", waiting_for=("db",))
ONE_OF_TWO = {
    "what-failed-before-what-starts": (
        {"db": web(HealthState.IN_PROGRESS), "web": unit("web", pod_problems=("pod x crashes",))},
        "web: pod x crashes",
    ),
    "what-starts-before-what-waits": (
        {"db": UnitOutcome("db", waiting_for=("store",)), "web": web(HealthState.IN_PROGRESS)},
        "web: Deployment demo-web",
    ),
    "what-starts-before-what-is-suspended": (
        {"db": SUSPENDED_DB, "web": web(HealthState.IN_PROGRESS)},
        "web: Deployment demo-web",
    ),
    "what-is-suspended-before-what-waits-for-it": ({"db": SUSPENDED_DB, "web": PENDING_WEB}, "db: left as it is"),
}


@pytest.mark.parametrize("names", ["{name: db}, {name: store}, {name: web}", "{name: web}, {name: store}, {name: db}"])
@pytest.mark.parametrize(("units", "says"), ONE_OF_TWO.values(), ids=ONE_OF_TWO)
def test_which_component_speaks_for_the_stack_in_whatever_order_they_are(
    names: str, units: dict[str, UnitOutcome], says: str
) -> None:
    planned = plan(f"{{components: [{names}]}}")
    status = summarize(planned, Outcome({"store": unit("store"), **units}), NOW)
    assert f"1 of 3 components are ready; {says}" in status.message
    by_type = {c.type: c for c in status.conditions}
    resting = by_type[ConditionType.READY].reason == Reason.SUSPENDED
    assert resting is ("suspended" in says or "left as it is" in says)


def test_status_says_where_pages_are_and_what_it_costs() -> None:
    status = summarize(PLANNED, outcome(web()), NOW)
    assert {c.name: c.url for c in status.components} == {
        "db": "",
        "store": "",
        "web": "http://demo-web-front.ml.svc:8080/home",
    }
    assert status.footprint == PLANNED.footprint
    assert (status.profile, status.catalog_digest) == ("toy", PLANNED.catalog_digest)


ERRORS: dict[type[AIStackError], tuple[AIStackError, bool, Reason]] = {
    AIStackError: (AIStackError("x"), False, Reason.WAITING),
    InvalidError: (InvalidError("x"), True, Reason.INVALID_SPEC),
    SpecError: (SpecError("spec.size", "is wrong", "write small"), True, Reason.INVALID_SPEC),
    CatalogError: (CatalogError("components/db/component.yaml", "is wrong", 3), True, Reason.INVALID_CATALOG),
    ArtifactError: (ArtifactError("r.test/hello:1", "is too large", "make it smaller"), True, Reason.INVALID_ARTIFACT),
    NonconformingError: (NonconformingError("x"), True, Reason.INVALID_SPEC),
    ForeignObjectError: (ForeignObjectError("Service ml/x"), True, Reason.FOREIGN_OBJECT),
    NotReadyError: (NotReadyError("x"), False, Reason.WAITING),
    AwaitedError: (AwaitedError("spec.external[0]", "isn't there", "make it"), False, Reason.WAITING),
    ClusterError: (ClusterError("x", 500), False, Reason.WAITING),
    ForbiddenError: (ForbiddenError("x", 403), False, Reason.FORBIDDEN),
    NotLeadingError: (NotLeadingError("x"), False, Reason.WAITING),
    RegistryError: (RegistryError("r.test/hello:1", "answers 404", "push it"), False, Reason.WAITING),
    ToolError: (ToolError("x"), False, Reason.WAITING),
}


def test_the_table_has_every_error() -> None:
    def tree(kind: type[AIStackError]) -> set[type[AIStackError]]:
        return {kind}.union(*(tree(sub) for sub in kind.__subclasses__() if sub.__module__ == "aistack.errors"))

    assert set(ERRORS) == tree(AIStackError)


@pytest.mark.parametrize(("error", "stalled", "reason"), ERRORS.values(), ids=lambda v: type(v).__name__)
def test_every_error_has_its_reason(error: AIStackError, stalled: bool, reason: Reason) -> None:
    status = summarize_refusal(stack(), error, NOW)
    assert conditions(status) == (*(STALLED if stalled else WORKS), reason)
    assert status.message == str(error)


@pytest.mark.parametrize(
    "errors",
    [
        pytest.param((ClusterError("busy", 429), SpecError("spec.size", "is wrong")), id="later"),
        pytest.param((SpecError("spec.size", "is wrong"), ClusterError("busy", 429)), id="first"),
    ],
)
def test_what_only_a_person_can_change_is_told_before_what_passes(errors: tuple[AIStackError, ...]) -> None:
    status = summarize(PLANNED, outcome(web(), errors=errors), NOW)
    assert conditions(status) == (*STALLED, Reason.INVALID_SPEC)
    assert status.message == "spec.size: is wrong"


def test_a_refusal_leaves_what_was_said_of_the_components() -> None:
    healthy = summarize(PLANNED, outcome(web()), NOW)
    seen = stack().model_copy(update={"status": healthy})
    refused = summarize_refusal(seen, SpecError("spec.size", "is wrong"), NOW)
    assert refused.components == healthy.components
    assert refused.edges == healthy.edges


def test_suspension_and_deletion() -> None:
    assert conditions(summarize_suspension(stack(), NOW)) == (*RESTS, Reason.SUSPENDED)
    status = summarize_deletion(stack(), ("Deployment ml/demo-web", "PersistentVolumeClaim ml/demo-db-data"), NOW)
    assert conditions(status) == (*WORKS, Reason.DELETING)
    assert status.message == "deleting: waits for Deployment ml/demo-web, PersistentVolumeClaim ml/demo-db-data"


def test_a_message_of_any_length_fits_the_status() -> None:
    huge = "x" * 100_000
    for status in (
        summarize_refusal(stack(), SpecError("spec", huge), NOW),
        summarize_deletion(stack(), (huge,), NOW),
        summarize(PLANNED, outcome(web(HealthState.IN_PROGRESS, pod_problems=(huge,))), NOW),
        summarize(PLANNED, outcome(web(verb=Verb.CONTESTED, note=huge)), NOW),
    ):
        assert len(status.message) <= MAX_MESSAGE
        assert all(len(c.message) <= MAX_MESSAGE for c in status.conditions)
        assert all(len(c.message) <= MAX_MESSAGE for c in status.components)


def test_the_same_news_twice_is_the_same_status() -> None:
    first = summarize(PLANNED, outcome(web()), NOW)
    again = plan()
    seen = again.stack.model_copy(update={"status": first})
    later = NOW.replace(year=2031)
    assert summarize(replace(again, stack=seen), outcome(web()), later) == first


@pytest.mark.parametrize(
    ("expose", "url"),
    [
        pytest.param("", "http://demo-web-front.ml.svc:8080/home", id="inside"),
        pytest.param(", expose: {host: a.b, className: x}", "http://web.a.b/home", id="exposed"),
        pytest.param(", expose: {host: a.b, className: x, tls: {}}", "https://web.a.b/home", id="encrypted"),
    ],
)
def test_a_page_s_address_is_where_people_find_it(expose: str, url: str) -> None:
    status = summarize(plan(f"{{profile: toy{expose}}}"), outcome(web()), NOW)
    assert {c.name: c.url for c in status.components} == {"db": "", "store": "", "web": url}
