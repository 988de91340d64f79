"""Conditions: times move with the status only, and every word is documented."""

from __future__ import annotations

import ast
import inspect
from datetime import UTC, datetime, timedelta

import pytest

from aistack.api import conditions
from aistack.api.conditions import Condition, ConditionStatus, ConditionType, Reason, merge_conditions

THEN = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
NOW = THEN + timedelta(hours=1, microseconds=5)


def ready(status: ConditionStatus, reason: Reason = Reason.PROGRESSING, message: str = "") -> Condition:
    return Condition(type=ConditionType.READY, status=status, reason=reason, message=message)


def since(condition: Condition, time: datetime) -> Condition:
    return condition.model_copy(update={"last_transition_time": time})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param([], ready(ConditionStatus.FALSE), NOW.replace(microsecond=0), id="first-time"),
        pytest.param(
            [since(ready(ConditionStatus.FALSE), THEN)],
            ready(ConditionStatus.TRUE, Reason.HEALTHY),
            NOW.replace(microsecond=0),
            id="status-changed",
        ),
        pytest.param(
            [since(ready(ConditionStatus.FALSE), THEN)],
            ready(ConditionStatus.FALSE, Reason.UNHEALTHY, "mlflow: image can't be pulled"),
            THEN,
            id="only-reason-and-message-changed",
        ),
        pytest.param(
            [ready(ConditionStatus.FALSE)],
            ready(ConditionStatus.FALSE),
            NOW.replace(microsecond=0),
            id="old-time-was-lost",
        ),
    ],
)
def test_the_transition_time_follows_the_status(old: list[Condition], new: Condition, expected: datetime) -> None:
    (merged,) = merge_conditions(old, [new], NOW)

    assert merged == since(new, expected)


def test_conditions_that_nothing_new_is_said_of_stay() -> None:
    foreign = since(Condition(type="Audited", status=ConditionStatus.TRUE, reason="ByHand"), THEN)

    merged = merge_conditions([foreign], [ready(ConditionStatus.TRUE)], NOW)

    assert [c.type for c in merged] == ["Audited", "Ready"]
    assert merged[0] == foreign


def test_merging_twice_changes_nothing() -> None:
    once = merge_conditions([], [ready(ConditionStatus.TRUE)], THEN)

    assert merge_conditions(once, [ready(ConditionStatus.TRUE)], NOW) == once


def test_times_are_written_as_kubernetes_does() -> None:
    (condition,) = merge_conditions([], [ready(ConditionStatus.TRUE)], NOW)

    assert condition.model_dump(mode="json", by_alias=True)["lastTransitionTime"] == "2026-01-01T13:00:00Z"


@pytest.mark.parametrize("words", [ConditionType, Reason])
def test_every_word_is_documented(words: type[ConditionType] | type[Reason]) -> None:
    (tree,) = ast.parse(inspect.getsource(words)).body
    assert isinstance(tree, ast.ClassDef)
    undocumented = [
        ast.unparse(statement)
        for statement, following in zip(tree.body, [*tree.body[1:], None], strict=True)
        if isinstance(statement, ast.Assign) and not isinstance(following, ast.Expr)
    ]

    assert not undocumented


@pytest.mark.parametrize("reason", list(Reason))
def test_reasons_fit_kubernetes_pattern(reason: conditions.Reason) -> None:
    assert reason.value.isidentifier()
    assert reason.value[0].isupper()
