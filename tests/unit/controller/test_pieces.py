"""Which AIComponents and stacks are looked at when one of them changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aistack.controller.pieces import Pieces
from aistack.objects.artifact import parse_reference
from aistack.objects.manifest import Manifest
from aistack.pieces.loading import Wanted, load_piece
from aistack.settings import engine_settings
from tests.hello import write_hello
from tests.toy import toy

HELLO = {"spec": {"components": [{"name": "hello"}]}}
STORE = {"spec": {"components": [{"name": "store"}]}}


def stack(name: str, **parts: Any) -> Manifest:
    return {"metadata": {"namespace": "ml", "name": name}, **parts}


@pytest.fixture
def touched() -> list[str]:
    return []


@pytest.fixture
def pieces(tmp_path: Path, touched: list[str]) -> Pieces:
    client: Any = None
    stacks = [stack("one", **HELLO), stack("two", **STORE)]
    found = Pieces(client, engine_settings(), toy(), lambda: stacks, lambda s: touched.append(s["metadata"]["name"]))
    reference = parse_reference(f"r.test/hello@sha256:{'0' * 64}")
    found.stock.put(load_piece(write_hello(tmp_path, "sql"), Wanted("mine", reference)))
    return found


@pytest.mark.parametrize(
    ("before", "after", "looked"),
    [
        pytest.param(None, HELLO, ["mine"], id="begins to use it"),
        pytest.param(HELLO, None, ["mine"], id="is gone"),
        pytest.param(HELLO, {**HELLO, "status": {"components": [{"name": "hello"}]}}, [], id="uses it still"),
        pytest.param(HELLO, STORE, ["mine"], id="asks for it no more"),
        pytest.param(None, STORE, [], id="never used it"),
    ],
)
async def test_a_piece_is_looked_at_when_its_users_change(
    pieces: Pieces, before: Any, after: Any, looked: list[str]
) -> None:
    pieces.seen(*(stack("one", **each) if each else None for each in (before, after)))
    assert list(pieces.queue._waiting) == looked


async def test_stacks_are_looked_at_when_what_they_use_changes(pieces: Pieces, touched: list[str]) -> None:
    pieces._changed(frozenset({"components/hello"}))
    assert touched == ["one"]


async def test_an_operator_of_some_namespaces_asks_for_none() -> None:
    client: Any = None  # any request would fail
    pieces = Pieces(client, engine_settings("home", ["ml"]), toy(), lambda: (), lambda _: None)
    await pieces.start()
    await pieces.prepare()
    assert pieces.catalog == toy()
    await pieces.stop()
