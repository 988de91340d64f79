"""As whom a stack's objects are made, and which ServiceAccounts it may name."""

from __future__ import annotations

import pytest

from aistack.errors import SpecError
from aistack.planning.accounts import Accounts
from tests.toy import stack

NAMED = "{profile: toy, serviceAccountName: team}"


@pytest.mark.parametrize(
    ("accounts", "spec", "name"),
    [
        pytest.param(Accounts(), "{profile: toy}", "", id="the operator itself"),
        pytest.param(Accounts("aistack"), "{profile: toy}", "aistack", id="the default"),
        pytest.param(Accounts("aistack", ("team",)), NAMED, "team", id="one that is allowed"),
        pytest.param(Accounts("team"), NAMED, "team", id="the default by its name"),
        pytest.param(Accounts(), NAMED, "team", id="any, where the API server alone decides"),
        pytest.param(Accounts("", ("team",)), "{profile: toy}", "", id="no default"),
    ],
)
def test_the_account_of_a_stack(accounts: Accounts, spec: str, name: str) -> None:
    assert accounts.of(stack(spec)) == name


@pytest.mark.parametrize(
    ("accounts", "remedy"),
    [
        pytest.param(Accounts("aistack"), "write aistack, or", id="the default"),
        pytest.param(Accounts("aistack", ("x", "aistack")), "write aistack or x, or", id="more"),
        pytest.param(Accounts("", ("x",)), "write x, or", id="no default"),
    ],
)
def test_another_is_refused_by_its_field_with_those_that_may_be_named(accounts: Accounts, remedy: str) -> None:
    with pytest.raises(SpecError, match=r"^spec\.serviceAccountName: 'team' is no account of stacks here") as raised:
        accounts.of(stack(NAMED))
    assert remedy in str(raised.value)
    assert "allowedServiceAccounts" in str(raised.value)
