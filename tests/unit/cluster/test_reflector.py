"""A reflector goes on whatever comes. The server is a fake: a real one doesn't send what it chokes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from aistack.cluster import reflector as module
from aistack.cluster.discovery import Discovery
from aistack.cluster.reflector import Reflector, Source
from aistack.cluster.replies import Reply
from aistack.cluster.store import OnChange, Store
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectKind
from aistack.objects.plan import OwnerKey
from aistack.settings import engine_settings

KIND = ObjectKind("v1", "ConfigMap")
ODD, SOUND = (
    {"spec": "what is this?"},
    {"metadata": {"name": "c", "namespace": "ml", "uid": "1", "resourceVersion": "5"}},
)


class Server:
    """Answers lists in turn, the last one for ever; its watches fail, after ``lasts`` seconds if given."""

    def __init__(self, *lists: Reply | Exception, failure: int = 0, lasts: float = 0.0) -> None:
        self._lists, self._lasts = list(lists), lasts
        self._failure = ClusterError("watch: no answer", failure)
        self.watches = 0
        self.discovery = Discovery(lambda _: asyncio.sleep(0, {}))
        self.rewound = asyncio.Event()

    async def list(self, *_: Any, **__: Any) -> Reply:
        answer = self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def watch(self, *_: Any, **__: Any) -> Any:
        self.watches += 1
        if not self._lasts:
            raise self._failure
        return self._stand()

    @asynccontextmanager
    async def _stand(self) -> AsyncIterator[AsyncIterator[Any]]:
        async def events() -> AsyncIterator[Any]:
            await asyncio.sleep(self._lasts)
            raise self._failure
            yield

        yield events()


def page(*items: dict[str, Any], version: str = "9") -> Reply:
    return Reply(200, {"items": list(items), "metadata": {"resourceVersion": version}})


def following(server: Any, backoff_limit: float = 0.01, told: OnChange = lambda _: None) -> Reflector:
    settings = replace(engine_settings(), watch_silence=1, watch_backoff_limit=backoff_limit)
    return Reflector(server, Store("owner", told), Source(KIND, "", "owner", False), settings)


async def synced(server: Any) -> tuple[Reflector, list[str]]:
    """Run a reflector until it has read a list; returns the errors that it had before."""
    reflector = following(server)
    task, errors = asyncio.create_task(reflector.run()), list[str]()
    async with asyncio.timeout(10):
        while not reflector.synced and not task.done():
            await asyncio.sleep(0.005)
            errors.append(str(reflector.error))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return reflector, errors


async def test_an_object_that_cannot_be_read_does_not_end_the_watch() -> None:
    reflector, errors = await synced(Server(page(ODD), page(SOUND)))

    assert reflector.synced
    assert "watch ConfigMap: unexpected KeyError" in errors


async def test_a_watch_that_is_cut_again_and_again_is_opened_again_as_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies cut connections that are idle for a minute: each of them is a new trouble, not a growing one."""
    monkeypatch.setattr(module, "SHORTEST", 0.01)
    server = Server(page(), lasts=0.02)
    task = following(server, backoff_limit=60).start()
    await asyncio.sleep(3)
    task.cancel()
    assert server.watches >= 10, "pauses of 0.1, 0.2, 0.4 s and so on would leave time for 5"


@pytest.mark.parametrize("failure", [0, 502, 503])
async def test_history_that_went_back_while_the_server_was_away_is_found(failure: int) -> None:
    server = Server(page(), page(version="5"), failure=failure)
    task = following(server).start()
    async with asyncio.timeout(10):
        await server.rewound.wait()
    task.cancel()


async def test_a_proxy_that_lost_its_way_takes_nothing_away() -> None:
    lost = Reply(404, {"message": "404 page not found"}, "list configmaps")
    told: list[OwnerKey] = []
    server = Server(page(SOUND), lost, lost, page(SOUND), failure=410)
    task = following(server, told=told.append).start()
    await asyncio.sleep(1)
    task.cancel()
    assert server.watches >= 3, "the last list came after those that were lost"
    assert told == [("ml", "")], "seen once, and never gone"
