"""The secret values of a namespace, for the scrubber alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.cluster.settings import SECRET
from aistack.cluster.users import decoded
from aistack.objects.manifest import Manifest

ALWAYS_PLAIN = frozenset({"type", "provider"})
"""Keys of every binding, by the Service Binding specification: names of a contract and a component."""


async def values_in(client: Client, namespaces: Iterable[str]) -> list[Mapping[str, bytes]] | None:
    """Return the values of all Secrets of some namespaces; None if they may not be read.

    Raises:
        ClusterError: nobody answers.
    """
    found: list[Mapping[str, bytes]] = []
    for namespace in namespaces:
        reply = await client.list(SECRET, namespace)
        if reply.status in (401, 403):
            return None
        items: list[Manifest] = reply.result()["items"] or []
        found += [decoded(item) for item in items]
    return found


def plain_keys(catalog: Catalog) -> frozenset[str]:
    """Return the keys of contracts that say of themselves, in each contract that has them, that they aren't secret."""
    keys = [(name, key.secret) for contract in catalog.contracts.values() for name, key in contract.keys.items()]
    derived = {name for contract in catalog.contracts.values() for name in contract.derived}
    plain = ALWAYS_PLAIN | {name for name, _ in keys}
    return plain - {name for name, secret in keys if secret} - derived
