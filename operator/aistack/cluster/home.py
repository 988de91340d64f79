"""What the operator keeps in its own namespace, which it makes if nobody did."""

from __future__ import annotations

from aistack.cluster.client import Client
from aistack.cluster.replies import Reply
from aistack.cluster.settings import NAMESPACE
from aistack.objects.manifest import Manifest


async def create_at_home(client: Client, manifest: Manifest) -> Reply:
    """Create an object, and the namespace that it names where there is none.

    Raises:
        ClusterError: no answer came, or the namespace can't be made.
    """
    reply = await client.create(manifest)
    if reply.status != 404:
        return reply
    name = manifest["metadata"]["namespace"]
    made = await client.create(
        {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": {"name": name}}
    )
    if made.status != 409:
        made.result()
    return await client.create(manifest)
