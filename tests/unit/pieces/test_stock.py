"""The catalog as it is now, and what changes with a piece."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aistack.catalog.pieces import Piece
from aistack.objects.artifact import parse_reference
from aistack.pieces.loading import Wanted, load_piece
from aistack.pieces.stock import Stock
from aistack.pieces.usage import needed_by, parts_used, users_of
from tests.hello import write_hello
from tests.toy import toy

HELLO = frozenset({"components/hello"})


@pytest.fixture
def hello(tmp_path: Path) -> Piece:
    reference = parse_reference(f"r.test/hello@sha256:{'0' * 64}")
    return load_piece(write_hello(tmp_path, "sql"), Wanted("mine", reference))


def test_a_piece_comes_changes_and_goes(hello: Piece) -> None:
    stock = Stock(toy())

    assert stock.put(hello) == HELLO
    assert stock.catalog.origins == {"components/hello": "mine"}
    assert stock.put(replace(hello, digests={"components/hello": "new"})) == HELLO
    assert stock.catalog.parts["components/hello"] == "new"
    assert stock.drop("mine") == HELLO
    assert stock.catalog == toy()
    assert stock.drop("mine") == frozenset()


def test_a_former_artifact_stays_while_a_new_one_is_refused(hello: Piece) -> None:
    stock = Stock(toy())
    stock.put(hello)
    stock.expect("mine", HELLO, "the registry is away")

    assert stock.catalog.awaited == {}
    assert "hello" in stock.catalog.components


def test_a_piece_that_was_in_use_and_is_not_loaded_is_awaited(hello: Piece) -> None:
    stock = Stock(toy())
    stock.expect("mine", HELLO, "the registry is away")
    assert stock.catalog.awaited == {"components/hello": "the registry is away"}

    stock.put(hello)
    assert stock.catalog.awaited == {}
    stock.drop("mine")
    stock.expect("mine", HELLO, "again")
    assert stock.drop("mine") == HELLO
    assert stock.catalog.awaited == {}


STACKS = {
    "asks": {"spec": {"components": [{"name": "hello"}]}},
    "asks no more and still has": {"spec": {}, "status": {"components": [{"name": "hello"}]}},
    "switched off": {"spec": {"components": [{"name": "hello", "enabled": False}]}},
    "others": {"spec": {"profile": "toy"}},
}


@pytest.mark.parametrize(("name", "uses"), list(zip(STACKS, [True, True, False, False], strict=True)))
def test_who_uses_a_component(name: str, uses: bool) -> None:
    stack = {"metadata": {"namespace": "ml", "name": "demo"}, **STACKS[name]}
    assert users_of(HELLO, [stack], toy().profiles) == (("ml/demo",) if uses else ())


def test_what_a_stack_uses_without_naming_it() -> None:
    stack = {
        "spec": {"profile": "toy", "components": [{"name": "store", "enabled": False}]},
        "status": {"edges": [{"contract": "sql"}]},
    }
    assert parts_used(stack, toy().profiles) == {
        "profiles/toy",
        "components/db",
        "components/web",
        "contracts/sql",
    }


def test_a_piece_is_needed_by_those_that_use_its_contracts(hello: Piece) -> None:
    contract = replace(hello, name="seam", components={}, contracts={"sql": toy().contracts["sql"]})
    assert needed_by(contract, [hello]) == ("mine",)
    assert needed_by(hello, [contract]) == ()
