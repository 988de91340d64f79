"""A user's Secret against its contract: each fault has words of its own, and a remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aistack.errors import AwaitedError, InvalidError, SpecError
from aistack.objects.recipes import Literal, Ref
from aistack.objects.users import UserSecret
from aistack.planning.borrowed import Borrowed, needed_of_admin, needed_of_share
from tests.toy import starter

CONTRACT = starter().contracts["postgres"]
GOOD = UserSecret({"host": "pg", "port": "6432", "database": "d", "username": "u"}, {"password": "mark"})


def borrowed(secret: UserSecret | None) -> Borrowed:
    return Borrowed("mine", "spec.external[0].secretRef", CONTRACT, {"mine": secret} if secret else {})


def test_values_are_taken_and_secrets_referred_to() -> None:
    found = borrowed(GOOD).recipes(CONTRACT.keys, needed_of_admin(CONTRACT))
    assert found["port"] == Literal("6432")
    assert found["password"] == Ref("mine", "password", "mark")
    assert "ca.crt" not in found


@pytest.mark.parametrize(
    ("contract", "admin", "share"),
    [
        ("postgres", {"host", "database", "username", "password"}, set()),
        ("s3", {"host", "port", "access-key", "secret-key"}, {"bucket"}),
    ],
)
def test_a_share_needs_what_its_other_forms_are_made_of(contract: str, admin: set[str], share: set[str]) -> None:
    found = starter().contracts[contract]
    assert needed_of_admin(found) == admin
    assert needed_of_share(found) == admin | share


def without(key: str) -> UserSecret:
    return replace(GOOD, values={k: v for k, v in GOOD.values.items() if k != key}, others=frozenset({"hostname"}))


def holding(key: str, value: str) -> UserSecret:
    return replace(GOOD, values={**GOOD.values, key: value})


FAULTS: dict[str, tuple[UserSecret | None, str]] = {
    "no-secret": (None, "there is no Secret 'mine' in the stack's namespace; make it with the keys database, host"),
    "key-missing": (without("host"), "no value for the key host, which postgres needs; add it; it has hostname"),
    "another-type": (holding("type", "mysql"), "says that it is of type 'mysql'; name one for postgres"),
    "no-port": (holding("port", "fivethousand"), "key 'port' of Secret 'mine': 'fivethousand' doesn't fit (TCP port)"),
    "a-url-for-a-host": (
        holding("host", "https://pg"),
        "key 'host' of Secret 'mine': 'https://pg' doesn't fit (DNS name",
    ),
    "no-mode": (holding("sslmode", "yes"), "'yes' doesn't fit (How TLS is used"),
    "no-certificate": (holding("ca.crt", "MIIB"), "'MIIB' doesn't fit (Certificate"),
    "unusable": (replace(GOOD, marks={}, unusable={"password": "it ends with a line break"}), "'password' of Secret"),
}


@pytest.mark.parametrize(("secret", "says"), FAULTS.values(), ids=FAULTS)
def test_each_fault_has_its_own_words(secret: UserSecret | None, says: str) -> None:
    with pytest.raises((AwaitedError, SpecError)) as refused:
        borrowed(secret).recipes(CONTRACT.keys, needed_of_admin(CONTRACT))
    assert refused.value.field == "spec.external[0].secretRef.name"
    assert says in str(refused.value)


def test_a_secret_that_isn_t_there_yet_is_waited_for() -> None:
    with pytest.raises(AwaitedError) as awaited:
        borrowed(None).recipes(CONTRACT.keys, needed_of_admin(CONTRACT))
    assert not isinstance(awaited.value, InvalidError), "a secret manager may be about to make it"
