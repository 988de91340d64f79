"""Pieces in a catalog: which source of a name wins is never an accident, and no other stack's digest changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aistack.catalog.models import Catalog
from aistack.catalog.pieces import Expected, Piece, merge, touched
from aistack.objects.artifact import parse_reference
from aistack.pieces.loading import Wanted, load_piece
from tests.hello import write_hello
from tests.toy import toy

REFERENCE = parse_reference(f"r.test/hello@sha256:{'0' * 64}")


@pytest.fixture
def hello(tmp_path: Path) -> Piece:
    return load_piece(write_hello(tmp_path, "sql"), Wanted("mine", REFERENCE, makes=("Service", "apps/Deployment")))


def mlflow(piece: Piece, name: str = "web", **changes: object) -> Piece:
    """The piece, if it brought another name."""
    component = piece.components["hello"]
    spec = component.spec.model_copy(update={"name": name})
    digests = {f"components/{name}": "x"}
    return replace(piece, components={name: replace(component, spec=spec)}, digests=digests, **changes)


def test_a_piece_is_there_with_its_origin(hello: Piece) -> None:
    merged = merge(toy(), [hello])

    assert merged.refused == {}
    assert merged.catalog.components["hello"].spec.title == "Hello"
    assert merged.catalog.components["hello"].makes == ("Service", "apps/Deployment")
    assert merged.catalog.origins == {"components/hello": "mine"}
    assert merged.catalog.digest != toy().digest


def test_what_others_are_planned_from_stays_the_same(hello: Piece) -> None:
    parts = toy().parts_of(["db", "store", "web"], "toy")
    assert parts == {
        "components/db",
        "components/store",
        "components/web",
        "contracts/blob",
        "contracts/cache",
        "contracts/sql",
        "contracts/web",
        "profiles/toy",
        "runner",
    }
    assert merge(toy(), [hello]).catalog.digest_of(parts) == toy().digest_of(parts)
    assert touched(merge(toy(), [hello]).catalog, hello.parts) == {"components/hello"}


def test_a_name_of_the_catalog_is_replaced_only_where_the_piece_says_so(hello: Piece) -> None:
    silent, said = mlflow(hello), mlflow(hello, replaces=frozenset({"components/web"}))

    merged = merge(toy(), [silent])
    assert merged.refused == {
        "mine": "components/web is in the catalog already; write spec.replaces: [components/web] to use this one "
        "instead, or rename it"
    }
    assert merged.catalog == toy()
    won = merge(toy(), [said]).catalog
    assert won.components["web"].spec.title == "Hello"
    assert won.origins == {"components/web": "mine"}
    assert touched(won, said.parts) == {"components/web", "profiles/toy"}


def test_of_two_pieces_of_one_name_the_one_that_was_there_first_stays(hello: Piece) -> None:
    merged = merge(toy(), [hello, replace(hello, name="other", replaces=frozenset({"components/hello"}))])

    assert merged.refused == {
        "other": "components/hello is brought by the AIComponent mine already; delete that one, or rename this one's"
    }
    assert merged.catalog.origins == {"components/hello": "mine"}


def test_a_piece_counts_whole_or_not_at_all(hello: Piece) -> None:
    both = replace(
        mlflow(hello),
        components={**mlflow(hello).components, **hello.components},
        digests={"components/web": "x", **hello.digests},
    )
    merged = merge(toy(), [both])

    assert list(merged.refused) == ["mine"]
    assert "hello" not in merged.catalog.components


def test_a_replacement_of_what_the_artifact_lacks_is_a_slip(hello: Piece) -> None:
    merged = merge(toy(), [replace(hello, replaces=frozenset({"components/wbe"}))])
    assert merged.refused == {
        "mine": "spec.replaces: components/wbe isn't in the artifact, which brings components/hello"
    }


def test_a_piece_that_is_expected_is_awaited_until_it_is_there(hello: Piece) -> None:
    expected = [Expected("mine", frozenset({"components/hello"}), "it is fetched")]

    assert merge(toy(), [], expected).catalog.awaited == {"components/hello": "it is fetched"}
    assert merge(toy(), [hello], expected).catalog.awaited == {}


def test_a_contract_touches_all_that_has_to_do_with_it() -> None:
    catalog: Catalog = toy()
    found = touched(catalog, frozenset({"contracts/blob"}))
    assert found >= {"contracts/blob", "components/store", "components/web", "profiles/toy"}
    assert "components/ping" not in found
