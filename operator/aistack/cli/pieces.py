"""AIComponents in a cluster, as commands see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from aistack.api.conditions import ConditionStatus, ConditionType
from aistack.api.group import API_VERSION, PIECE_KIND
from aistack.api.piece import AIComponent, parse_piece
from aistack.cli.following import follow
from aistack.cluster.client import Client
from aistack.errors import ClusterError, InvalidError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef

PIECES = ObjectKind(API_VERSION, PIECE_KIND)


@dataclass(frozen=True)
class Pieces:
    """The AIComponents of a cluster."""

    client: Client

    async def apply(self, manifest: Manifest) -> AIComponent:
        """Server-side apply one.

        Raises:
            InvalidError: it is refused, or somebody else's.
            ClusterError: the request failed.
        """
        reply = await self.client.apply(manifest)
        if reply.field_conflicts:
            name = manifest["metadata"]["name"]
            raise InvalidError(
                f"{name} exists and is somebody else's; change it where it is kept, or choose another name"
            )
        return parse_piece(reply.result())

    async def list(self) -> list[AIComponent]:
        """Read all of them.

        Raises:
            ClusterError: they can't be read.
        """
        return [parse_piece(item) for item in (await self.client.list(PIECES)).result()["items"]]

    async def settled(self, made: AIComponent, seconds: float, say: Callable[[str], object]) -> AIComponent:
        """Wait until stacks can use one, a person must act, or the time is up.

        Args:
            made: as it was written.
            seconds: time after which to give up.
            say: told what its status says meanwhile.

        Returns:
            It, as last seen.

        Raises:
            ClusterError: it is gone, or can't be read.
        """
        last = made
        try:
            async with asyncio.timeout(seconds), aclosing(self._follow(made.name)) as looks:
                async for found in looks:
                    if found.status.message != last.status.message and not is_settled(found):
                        say(found.status.message)
                    last = found
                    if is_settled(found):
                        break
        except TimeoutError:
            pass
        return last

    async def _follow(self, name: str) -> AsyncGenerator[AIComponent]:
        ref = ObjectRef(API_VERSION, PIECE_KIND, "", name)

        async def find() -> Manifest | None:
            reply = await self.client.get(ref)
            return None if reply.status == 404 else reply.result()

        async with aclosing(follow(self.client, ref, find)) as looks:
            async for live in looks:
                if live is None:
                    raise ClusterError(f"the AIComponent {name} is gone", 404, "NotFound")
                yield parse_piece(live)


def says(found: AIComponent, kind: ConditionType) -> bool:
    """Tell whether a condition is true of an AIComponent as its spec is now."""
    status, generation = found.status, found.metadata.generation
    current = status.observed_generation == generation
    return current and any(c.type == kind and c.status is ConditionStatus.TRUE for c in status.conditions)


def is_settled(found: AIComponent) -> bool:
    """Tell whether stacks can use it, or a person must act."""
    return says(found, ConditionType.READY) or says(found, ConditionType.STALLED)
