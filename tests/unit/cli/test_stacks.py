"""A cluster that doesn't know what an AIStack is, and one whose API server is away for a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar, cast

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from aistack.cli import following
from aistack.cli.stacks import Stacks
from aistack.cluster.client import Client
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest
from tests.unit.cli.lab import live


async def knows_nothing(_: web.Request) -> web.Response:
    return web.json_response({"items": []})


async def test_a_missing_crd_says_how_to_install_it(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/api", knows_nothing)
    app.router.add_get("/apis", knows_nothing)
    async with TestServer(app) as server:
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
            "clusters": [{"name": "c", "cluster": {"server": str(server.make_url("/")).rstrip("/")}}],
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        async with await Client.connect("test", str(tmp_path / "kubeconfig")) as client:
            found = Stacks(client, "kubectl aistack {}".format)
            for ask in (found.find("ml", "demo"), found.list()):
                with pytest.raises(ClusterError, match=r"run: kubectl aistack crd \| kubectl apply --server-side -f -"):
                    await ask


class Scripted(Stacks):
    """Finds what a script says, one entry a look; every watch breaks at once."""

    script: ClassVar[list[Manifest | ClusterError | None]]

    async def find(self, namespace: str, name: str) -> Manifest | None:
        found = self.script.pop(0)
        if isinstance(found, ClusterError):
            raise found
        return found

    async def _changes(self, *_: object) -> AsyncIterator[Manifest | None]:
        raise ClusterError("watch: no answer")
        yield None


async def follow(*script: Manifest | ClusterError | None) -> list[Manifest | None]:
    """All that is seen of a stack until the script ends."""
    Scripted.script = [*script, ClusterError("the end", 418)]
    seen: list[Manifest | None] = []
    with pytest.raises(ClusterError, match="the end"):
        async for found in Scripted(cast(Client, None), str).follow("ml", "demo"):
            seen.append(found)  # noqa: PERF401 - what came before the end counts
    return seen


async def test_an_api_server_that_is_away_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0)
    away, starting, first, second = ClusterError("no answer"), ClusterError("not yet", 503), live(), live(generation=3)
    assert await follow(first, away, away, starting, second) == [first, second]
