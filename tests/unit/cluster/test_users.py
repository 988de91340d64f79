"""What is told of a user's Secret, and that its values can't be had from that."""

from __future__ import annotations

import pytest

from aistack.cluster.users import mark, told

SOUGHT = {"host": False, "password": True, "ca.crt": False}


def test_public_values_are_told_and_secret_ones_marked() -> None:
    found = told("ml", "pg", {"host": b"db\n", "password": b"pa55", "engine": b"x"}, SOUGHT)
    assert found.values == {"host": "db"}
    assert found.others == {"engine"}
    assert set(found.marks) == {"password"}
    assert "pa55" not in repr(found)


def test_a_mark_changes_with_the_value_and_differs_elsewhere() -> None:
    first = mark("ml", "pg", "password", b"pa55")
    assert first == mark("ml", "pg", "password", b"pa55"), "a restart of the operator rotates nothing"
    others = {
        mark("ml", "pg", "password", b"pa56"),
        mark("ml", "pg", "token", b"pa55"),
        mark("dl", "pg", "password", b"pa55"),
    }
    assert len({first, *others}) == 4, "one password in two places doesn't show"


@pytest.mark.parametrize(
    ("data", "unusable"),
    [
        pytest.param({"password": b"pa55\n"}, "ends with a line break", id="line-break"),
        pytest.param({"host": b"\xff\xfe"}, "isn't text", id="bytes"),
    ],
)
def test_values_that_nobody_meant_so_are_named(data: dict[str, bytes], unusable: str) -> None:
    (problem,) = told("ml", "pg", data, SOUGHT).unusable.values()
    assert unusable in problem


def test_an_empty_value_is_none() -> None:
    assert "ca.crt" not in told("ml", "pg", {"ca.crt": b" "}, SOUGHT)
