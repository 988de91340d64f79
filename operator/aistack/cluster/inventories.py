"""Where inventories are kept: one ConfigMap for each owner, in the operator's own namespace, out of tenants' reach."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from aistack.cluster.client import Client
from aistack.cluster.home import create_at_home
from aistack.cluster.inventory import Inventory
from aistack.cluster.records import Records, decode, encode
from aistack.cluster.settings import CONFIG_MAP, Settings
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectRef, content_hash
from aistack.objects.plan import Owner, OwnerKey

log = structlog.get_logger(__name__)

PREFIX = "inventory."
PAGE = "100"
"""Inventories to ask for at a time."""
MANY = 500
"""Records from which on packing them would hold up others: 5,000 take some 50 ms."""
LONGEST_NAME = 253
"""Kubernetes' limit for names of ConfigMaps."""


@dataclass(frozen=True)
class Stored:
    """What the cluster has: identity and version (both guard writes), and the records to compare with."""

    uid: str
    version: str
    records: Records


class Inventories:
    """Loads and stores inventories; what was read once stays in memory, as nobody else writes them.

    Two operators at the same time can't harm: a write is refused (409) unless it follows the newest one.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client, self._settings = client, settings
        self._cache: dict[OwnerKey, Inventory] = {}
        self._stored: dict[OwnerKey, Stored] = {}
        self._complete = False

    async def load_all(self) -> Iterable[tuple[OwnerKey, Inventory]]:
        """Read all inventories anew, so that a restart costs some requests and not one for each owner.

        What was read before is forgotten: while another replica led, it wrote them.

        Raises:
            ClusterError: they can't be read.
        """
        self._cache.clear()
        self._stored.clear()
        self._complete = False
        readable, query = True, {"labelSelector": self._label, "limit": PAGE}
        while True:  # page by page: all at once are as large as all that is remembered
            reply = await self._client.list(CONFIG_MAP, self._settings.namespace, metadata=False, **query)
            page = reply.result()
            for item in page["items"]:
                readable = self._try_to_remember(item) and readable
            if not page["metadata"].get("continue"):
                break
            query["continue"] = page["metadata"]["continue"]
        self._complete = readable
        return list(self._cache.items())

    def _try_to_remember(self, item: Manifest) -> bool:
        """Take note of an inventory unless it is damaged: then its owner alone has to wait."""
        namespace, _, name = item["metadata"].get("annotations", {}).get(self._label, "").partition("/")
        try:
            self._remember((namespace, name), item)
        except ClusterError as error:
            log.error("inventory left out", error=str(error))
            return False
        return True

    async def load(self, owner: Owner) -> Inventory:
        """Return an owner's inventory, an empty one if none is stored.

        Raises:
            ClusterError: it can't be read.
        """
        if owner.key not in self._cache:
            await self._read(owner)
        return self._cache[owner.key]

    async def save(self, owner: Owner) -> None:
        """Store an owner's inventory if it changed; the one without any record is deleted.

        Raises:
            ClusterError: it can't be stored; 409 when somebody else wrote it (it is read again next time).
        """
        inventory, stored = self._cache[owner.key], self._stored.get(owner.key)
        if not inventory.records:
            await self._remove(owner, stored)
        elif stored is None or stored.records != inventory.records:
            await self._write(owner, dict(inventory.records), stored)

    async def _read(self, owner: Owner) -> None:
        if not self._complete:
            reply = await self._client.get(self._ref(owner))
            if reply.status != 404:
                self._remember(owner.key, reply.result())
                return
        self._cache[owner.key] = Inventory()

    async def _write(self, owner: Owner, records: Records, stored: Stored | None) -> None:
        text = await asyncio.to_thread(encode, records) if len(records) > MANY else encode(records)
        manifest = {**self._manifest(owner), **text}
        if stored is None:
            reply = await create_at_home(self._client, manifest)
        else:
            manifest["metadata"] |= {"uid": stored.uid, "resourceVersion": stored.version}
            reply = await self._client.replace(manifest)
        if reply.status in (404, 409):
            self._distrust(owner)
        self._note(owner.key, reply.result(), records)

    async def _remove(self, owner: Owner, stored: Stored | None) -> None:
        if stored is not None:
            reply = await self._client.delete(self._ref(owner), stored.uid)
            if reply.status != 404:
                reply.result()
        self._cache.pop(owner.key, None)
        self._stored.pop(owner.key, None)

    def _remember(self, key: OwnerKey, item: Manifest) -> None:
        try:
            if not all(key):
                raise ValueError(f"its annotation {self._label} doesn't say whose it is")
            records = decode(item)
        except ValueError as error:
            raise ClusterError(f"ConfigMap {self._settings.namespace}/{item['metadata']['name']}: {error}") from error
        self._cache[key] = Inventory(records, stored=True)
        self._note(key, item, dict(records))

    def _note(self, key: OwnerKey, item: Manifest, records: Records) -> None:
        metadata = item["metadata"]
        self._stored[key] = Stored(metadata["uid"], metadata["resourceVersion"], records)
        self._cache[key].stored = True

    def _distrust(self, owner: Owner) -> None:
        self._cache.pop(owner.key, None)
        self._stored.pop(owner.key, None)
        self._complete = False

    @property
    def _label(self) -> str:
        return f"{self._settings.owner_label}-inventory"

    def _ref(self, owner: Owner) -> ObjectRef:
        name = f"{PREFIX}{owner.namespace}.{owner.name}"
        if len(name) > LONGEST_NAME:
            name = PREFIX + content_hash(list(owner.key), 40)
        return ObjectRef(CONFIG_MAP.api_version, CONFIG_MAP.kind, self._settings.namespace, name)

    def _manifest(self, owner: Owner) -> Manifest:
        ref = self._ref(owner)
        metadata: Manifest = {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": {self._label: "true"},
            "annotations": {self._label: f"{owner.namespace}/{owner.name}"},
        }
        return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata}
