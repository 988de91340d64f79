"""What an AIComponent's status says, in conditions that kubectl, Flux and Argo CD understand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aistack.api.group import API_VERSION
from aistack.api.piece import AIComponent, AIComponentStatus, parse_piece
from aistack.catalog.pieces import Piece
from aistack.errors import AIStackError, ArtifactError, ForbiddenError, RegistryError
from aistack.planning.piece_status import Standing, summarize_piece
from tests.toy import toy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARTIFACT = f"r.test/web@sha256:{'0' * 64}"
PIECE = Piece(
    "web", ARTIFACT, {"web": toy().components["web"]}, {}, {"components/web": "x"}, {"web": "proven"}, frozenset()
)


def component(**metadata: Any) -> AIComponent:
    manifest = {"apiVersion": API_VERSION, "kind": "AIComponent", "spec": {"artifact": ARTIFACT}}
    return parse_piece({**manifest, "metadata": {"name": "web", "generation": 3, **metadata}})


def truths(status: AIComponentStatus) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status.value, c.reason) for c in status.conditions}


def test_one_in_use_says_what_it_brings_and_who_uses_it() -> None:
    status = summarize_piece(component(), Standing(PIECE, ("ml/demo",)), NOW)

    assert status.message == "stacks can use components/web"
    assert truths(status) == {
        "Ready": ("True", "Healthy"),
        "Reconciling": ("False", "Healthy"),
        "Stalled": ("False", "Healthy"),
    }
    assert (status.observed_generation, status.artifact, status.used_by) == (3, ARTIFACT, ("ml/demo",))
    (told,) = status.components
    assert (told.name, told.tier, told.requires) == ("web", "proven", ("sql", "blob", "cache?"))


@pytest.mark.parametrize(
    ("error", "reason", "stalled"),
    [
        (ArtifactError("r.test/x", "is too large", "make it smaller"), "InvalidArtifact", True),
        (RegistryError("r.test/x", "answers 404", "push it"), "Waiting", False),
        (ForbiddenError("may not"), "Forbidden", False),
    ],
)
def test_one_that_cannot_be_used_says_why(error: AIStackError, reason: str, stalled: bool) -> None:
    status = summarize_piece(component(), Standing(None, (), error), NOW)

    assert status.message == str(error)
    assert truths(status) == {
        "Ready": ("False", reason),
        "Reconciling": ("False" if stalled else "True", reason),
        "Stalled": ("True" if stalled else "False", reason),
    }
    assert (status.artifact, status.components) == ("", ())


def test_what_was_in_use_stays_so_while_the_next_is_refused() -> None:
    error = ArtifactError("r.test/x", "is too large", "make it smaller")
    status = summarize_piece(component(), Standing(PIECE, (), error), NOW)

    assert status.message == f"{error}; until then {ARTIFACT} stays in use"
    assert truths(status)["Ready"] == ("False", "InvalidArtifact")
    assert status.artifact == ARTIFACT


def test_one_that_is_to_go_says_what_holds_it() -> None:
    users = tuple(f"ml/{number}" for number in range(7))
    status = summarize_piece(component(deletionTimestamp="2026-01-01T00:00:00Z"), Standing(PIECE, users), NOW)

    assert status.message.startswith("can't go while it is used by ml/0, ml/1, ml/2, ml/3, ml/4, ...: take what")
    assert truths(status)["Stalled"] == ("True", "InUse")


def test_what_it_brought_is_known_from_its_status() -> None:
    status = summarize_piece(component(), Standing(replace(PIECE, contracts={"sql": toy().contracts["sql"]})), NOW)
    assert component().model_copy(update={"status": status}).brought == {"components/web", "contracts/sql"}
