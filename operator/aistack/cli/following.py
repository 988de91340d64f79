"""Follows one object of the cluster: as it is now, and after every change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from aistack.cluster.client import Client
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectRef

Find = Callable[[], Awaitable[Manifest | None]]
"""Reads the object, None while there is none."""
RETRY_SECONDS = 2.0
"""Pause before an object is read again after a watch broke."""


async def follow(client: Client, ref: ObjectRef, find: Find) -> AsyncGenerator[Manifest | None]:
    """Yield an object now and after every change, None while there is none; an API server that is away is awaited.

    Raises:
        AIStackError: the API server answers, and refuses.
    """
    while True:
        live = await _find_in_time(find)
        yield live
        try:
            async for changed in _changes(client, ref, live):
                yield changed
        except ClusterError:
            await asyncio.sleep(RETRY_SECONDS)


async def _find_in_time(find: Find) -> Manifest | None:
    while True:
        try:
            return await find()
        except ClusterError as error:
            if 0 < error.status < 500:
                raise
            await asyncio.sleep(RETRY_SECONDS)


async def _changes(client: Client, ref: ObjectRef, live: Manifest | None) -> AsyncIterator[Manifest | None]:
    since = {"resourceVersion": live["metadata"]["resourceVersion"]} if live else {}
    selector = f"metadata.name={ref.name}"
    watch = await client.watch(ref.object_kind, ref.namespace, fieldSelector=selector, **since)
    async with watch as events:
        async for event in events:
            if event["type"] in ("ADDED", "MODIFIED"):
                yield event["object"]
            elif event["type"] == "DELETED":
                yield None
