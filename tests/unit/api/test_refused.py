"""A stack whose spec can't be read is still reported on and let go, and keeps its data when in doubt."""

from __future__ import annotations

import pytest

from aistack.api.refused import unparsed_stack
from aistack.api.spec import DeletionPolicy
from tests.bad_stacks import stack


@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        pytest.param("{size: huge}", DeletionPolicy.RETAIN, id="not-said"),
        pytest.param("{size: huge, deletionPolicy: Delete}", DeletionPolicy.DELETE, id="delete"),
        pytest.param("{deletionPolicy: delete}", DeletionPolicy.RETAIN, id="misspelt-delete-keeps-data"),
    ],
)
def test_only_a_clear_delete_deletes_data(spec: str, policy: DeletionPolicy) -> None:
    assert unparsed_stack(stack("demo", spec)).spec.deletion_policy is policy


def test_identity_and_status_are_kept() -> None:
    live = {**stack("demo", "{size: huge}"), "status": {"observedGeneration": 3, "message": "all is well"}}
    live["metadata"] |= {"namespace": "ml", "uid": "0000-1111", "generation": 4}

    demo = unparsed_stack(live)

    assert (demo.name, demo.namespace, demo.uid, demo.generation) == ("demo", "ml", "0000-1111", 4)
    assert demo.status.message == "all is well"


@pytest.mark.parametrize(
    ("written", "account"),
    [
        pytest.param("", None, id="not-said"),
        pytest.param(", serviceAccountName: team", "team", id="said"),
        pytest.param(", serviceAccountName: 5", "5", id="unreadable-is-nobody-else-s"),
    ],
)
def test_its_account_is_kept_so_that_it_is_deleted_with_no_more_rights(written: str, account: str | None) -> None:
    assert unparsed_stack(stack("demo", "{size: huge" + written + "}")).spec.service_account_name == account
