"""AIBindings in a cluster, as commands see them."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from aistack.api.binding import AIBinding, parse_binding
from aistack.api.group import API_VERSION, BINDING_KIND
from aistack.cli.following import follow
from aistack.cluster.client import Client
from aistack.errors import ClusterError, InvalidError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef

BINDING = ObjectKind(API_VERSION, BINDING_KIND)


@dataclass(frozen=True)
class Bindings:
    """The AIBindings of one namespace."""

    client: Client
    namespace: str

    async def apply(self, manifest: Manifest) -> AIBinding:
        """Server-side apply a binding.

        Raises:
            InvalidError: it is refused.
            ClusterError: the request failed.
        """
        reply = await self.client.apply(manifest)
        if reply.field_conflicts:
            raise InvalidError(f"{manifest['metadata']['name']} exists and is somebody else's; choose another name")
        return parse_binding(reply.result())

    async def list(self) -> list[AIBinding]:
        """Read all of them.

        Raises:
            ClusterError: they can't be read.
        """
        return [parse_binding(item) for item in (await self.client.list(BINDING, self.namespace)).result()["items"]]

    async def follow(self, name: str) -> AsyncGenerator[AIBinding]:
        """Yield a binding now and after every change.

        Raises:
            ClusterError: it is gone, or can't be read.
        """
        ref = ObjectRef(API_VERSION, BINDING_KIND, self.namespace, name)

        async def find() -> Manifest | None:
            reply = await self.client.get(ref)
            return None if reply.status == 404 else reply.result()

        async with aclosing(follow(self.client, ref, find)) as looks:
            async for live in looks:
                if live is None:
                    raise ClusterError(f"the AIBinding {name} is gone", 404, "NotFound")
                yield parse_binding(live)

    async def values(self, secret: str) -> dict[str, str]:
        """Read the values of a binding's Secret.

        Raises:
            ClusterError: it can't be read.
        """
        live = (await self.client.get(ObjectRef("v1", "Secret", self.namespace, secret))).result()
        return {key: base64.b64decode(value).decode() for key, value in (live.get("data") or {}).items()}
