"""Following an object: what a watch that breaks, or an API server that is away, means to who follows."""

from __future__ import annotations

from typing import cast

import pytest

from aistack.cli import following
from aistack.cluster.client import Client
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectRef
from tests.unit.cli.lab import live

REF = ObjectRef("aistack.dev/v1alpha1", "AIStack", "ml", "demo")


class Broken:
    """A client whose watches break at once."""

    async def watch(self, *_: object, **__: object) -> None:
        raise ClusterError("watch: no answer")


async def follow(*script: Manifest | ClusterError | None) -> list[Manifest | None]:
    """All that is seen until the script, one entry a look, ends."""
    looks = [*script, ClusterError("the end", 418)]
    seen: list[Manifest | None] = []

    async def find() -> Manifest | None:
        found = looks.pop(0)
        if isinstance(found, ClusterError):
            raise found
        return found

    with pytest.raises(ClusterError, match="the end"):
        async for found in following.follow(cast(Client, Broken()), REF, find):
            seen.append(found)  # noqa: PERF401 - what came before the end counts
    return seen


async def test_an_api_server_that_is_away_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0)
    away, starting, first, second = ClusterError("no answer"), ClusterError("not yet", 503), live(), live(generation=3)
    assert await follow(first, away, away, starting, second) == [first, second]


async def test_one_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0)
    assert await follow(live(), None) == [live(), None]
