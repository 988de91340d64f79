"""Names and labels of objects."""

from __future__ import annotations

import pytest

from aistack.api.labels import component_labels, identity_labels, selector_labels, stack_labels
from aistack.api.names import MAX_CATALOG_NAME, MAX_NAME, MAX_STACK_NAME, object_name
from aistack.errors import SpecError


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param((), "demo", id="the-stack-alone"),
        pytest.param(("mlflow", "server"), "demo-mlflow-server", id="two-parts"),
        pytest.param(("mlflow", ""), "demo-mlflow", id="empty-parts-leave-no-dash"),
    ],
)
def test_object_names_join_with_dashes(parts: tuple[str, ...], expected: str) -> None:
    assert object_name("demo", *parts) == expected


def test_a_name_that_is_too_long_says_by_how_much() -> None:
    with pytest.raises(SpecError, match="shorten the stack's name by 2 characters") as refused:
        object_name("a" * 24, "b" * 40)

    assert refused.value.field == "metadata.name"


def test_the_longest_stack_and_component_leave_room_for_a_role() -> None:
    assert len(object_name("a" * MAX_STACK_NAME, "b" * MAX_CATALOG_NAME)) + len("-some-role-0000") <= MAX_NAME


def test_selectors_are_part_of_the_labels_of_serving_pods() -> None:
    selector = selector_labels("demo", "mlflow", "server")

    assert identity_labels("demo", "mlflow").items() <= selector.items()
    assert stack_labels("demo").items() <= component_labels("demo", "mlflow", "3.18.0").items()
