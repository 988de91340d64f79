"""The keeper: what it takes up when it begins to lead."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aistack.api.group import API_VERSION
from aistack.api.piece import parse_piece
from aistack.cluster.replies import Reply
from aistack.objects.artifact import FOLDER
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.pieces.artifact import to_artifact
from aistack.pieces.cache import Cache, Kept, check_key
from aistack.pieces.keeper import Keeper, wanted_of
from aistack.pieces.loading import Wanted
from aistack.pieces.stock import Stock
from tests.hello import write_hello
from tests.toy import toy

HELLO = f"r.test/hello@sha256:{'0' * 64}"


@dataclass
class Home:
    """The API server, as far as the keeper needs it: ConfigMaps by name."""

    objects: dict[str, Manifest] = field(default_factory=dict)

    async def get(self, ref: ObjectRef) -> Reply:
        found = self.objects.get(ref.name)
        return Reply(200, found) if found else Reply(404)

    async def create(self, manifest: Manifest) -> Reply:
        self.objects[manifest["metadata"]["name"]] = manifest
        return Reply(201, manifest)


@dataclass
class Shelf:
    """AIComponents as they are."""

    lives: list[Manifest]

    async def of(self, _: str) -> list[Manifest]:
        return self.lives


def live(name: str = "mine", **status: Any) -> Manifest:
    spec = {"artifact": HELLO, "kinds": ["Service", "apps/Deployment"]}
    told = {"artifact": HELLO, "components": [{"name": "hello"}], **status}
    metadata = {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"apiVersion": API_VERSION, "kind": "AIComponent", "metadata": metadata, "spec": spec, "status": told}


def keeper(home: Home, *lives: Manifest) -> Keeper:
    client: Any = home
    shelf: Any = Shelf(list(lives))
    return Keeper(client, shelf, Stock(toy()), "aistack-system", lambda: (), lambda _: None)


async def kept(home: Home, folder: Path) -> Wanted:
    """Keep a piece as an operator with this catalog would."""
    wanted = wanted_of(parse_piece(live()))
    (layer,) = to_artifact(write_hello(folder, "sql")).layers
    assert layer.media_type == FOLDER
    client: Any = home
    await Cache(client, "aistack-system").put(Kept(wanted, check_key(wanted, toy().digest), layer.data))
    return wanted


async def test_what_was_in_use_is_taken_up_without_a_registry_or_a_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home()
    await kept(home, tmp_path)
    monkeypatch.setattr("aistack.pieces.checking.SECONDS", 0)
    leading = keeper(home, live())
    await leading.prepare()

    assert leading.stock.catalog.origins == {"components/hello": "mine"}
    assert leading.stock.catalog.awaited == {}


async def test_what_is_not_kept_is_awaited_until_it_is_fetched() -> None:
    leading = keeper(Home(), live())
    await leading.prepare()

    assert leading.stock.catalog.awaited == {"components/hello": "the AIComponent mine is fetched again"}


async def test_what_was_never_in_use_is_not_awaited() -> None:
    leading = keeper(Home(), live(artifact="", components=[]))
    await leading.prepare()
    assert leading.stock.catalog == toy()


async def test_what_went_while_another_replica_led_is_forgotten(tmp_path: Path) -> None:
    home = Home()
    await kept(home, tmp_path)
    leading = keeper(home, live())
    await leading.prepare()
    shelf: Any = leading.shelf
    shelf.lives.clear()
    await leading.prepare()
    assert leading.stock.catalog == toy()


async def test_what_is_kept_and_damaged_counts_as_nothing(tmp_path: Path) -> None:
    home = Home()
    await kept(home, tmp_path)
    home.objects["piece.mine"]["metadata"]["annotations"] = {"aistack.dev/piece": "{"}
    leading = keeper(home, live())
    await leading.prepare()
    assert list(leading.stock.catalog.awaited) == ["components/hello"]


def test_a_check_is_known_by_all_that_it_looks_at() -> None:
    wanted = wanted_of(parse_piece(live()))
    keys = {
        check_key(wanted, "a"),
        check_key(wanted, "b"),
        check_key(Wanted(wanted.name, wanted.reference, frozenset({"components/hello"}), wanted.makes), "a"),
        check_key(Wanted(wanted.name, wanted.reference, wanted.replaces, ("Service",)), "a"),
    }
    assert len(keys) == 4
