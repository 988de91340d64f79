"""A reflector goes on whatever comes. The server is a fake: a real one doesn't send what it chokes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aistack.cluster.discovery import Discovery
from aistack.cluster.reflector import Reflector, Source
from aistack.cluster.replies import Reply
from aistack.cluster.store import Store
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectKind
from aistack.settings import engine_settings

KIND = ObjectKind("v1", "ConfigMap")
ODD, SOUND = (
    {"spec": "what is this?"},
    {"metadata": {"name": "c", "namespace": "ml", "uid": "1", "resourceVersion": "5"}},
)


class Server:
    """Answers lists in turn, the last one for ever; its watches fail."""

    def __init__(self, *lists: Reply | Exception) -> None:
        self._lists = list(lists)
        self.discovery = Discovery(lambda _: asyncio.sleep(0, {}))

    async def list(self, *_: Any, **__: Any) -> Reply:
        answer = self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def watch(self, *_: Any, **__: Any) -> Any:
        raise ClusterError("watch: no answer")


def page(*items: dict[str, Any]) -> Reply:
    return Reply(200, {"items": list(items), "metadata": {"resourceVersion": "9"}})


async def synced(server: Any) -> tuple[Reflector, list[str]]:
    """Run a reflector until it has read a list; returns the errors that it had before."""
    settings = replace(engine_settings(), watch_silence=1, watch_backoff_limit=0.01)
    reflector = Reflector(server, Store("owner", lambda _: None), Source(KIND, "", "owner", False), settings)
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
