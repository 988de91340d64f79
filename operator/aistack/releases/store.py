"""Releases that an operator keeps: one ConfigMap each in its own namespace, where tenants can't write.

Each version of the operator leaves its own there, so that the next one can go on with it; others are put there by an
administrator (``aistack release install``).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass, field

from pydantic import ValidationError

from aistack.api.group import GROUP
from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.cluster.home import create_at_home
from aistack.cluster.settings import CONFIG_MAP
from aistack.errors import AwaitedError, InvalidError
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.releases.artifact import Release
from aistack.releases.bill import Bill

PREFIX, LABEL = "release.", f"{GROUP}/release"
_FOLDER, _BILL = "catalog.tar.gz", "bill.json"


@dataclass
class Store:
    """Releases by name.

    Args:
        client: reads and writes them.
        namespace: the operator's own.
    """

    client: Client
    namespace: str
    _known: dict[str, Catalog] = field(default_factory=dict)

    async def catalog(self, name: str) -> Catalog:
        """Return a release's catalog; it is loaded once, as a name never means another one.

        Raises:
            AwaitedError: it isn't there.
            InvalidError: this version can't read it.
            ClusterError: the API server couldn't be asked.
        """
        if name not in self._known:
            release = await self.get(name)
            if release is None:
                remedy = "install it (aistack release install), or choose one that 'aistack release list' shows"
                raise AwaitedError("spec.release", f"no release is named {name!r}", remedy)
            self._known[name] = await asyncio.to_thread(release.catalog)
        return self._known[name]

    async def get(self, name: str) -> Release | None:
        """Return a release, None if it isn't kept.

        Raises:
            InvalidError: it is damaged.
            ClusterError: the API server couldn't be asked.
        """
        reply = await self.client.get(self._ref(name))
        return None if reply.status == 404 else release_of(reply.result())

    async def keep(self, release: Release) -> bool:
        """Keep a release, in the place of one of its name. Tells whether it is news.

        Raises:
            ClusterError: it can't be written.
        """
        manifest, live = self._manifest(release), await self.client.get(self._ref(release.name))
        if live.status == 404:
            (await create_at_home(self.client, manifest)).result()
            return True
        found = live.result()
        if (found.get("binaryData") or {}).get(_FOLDER) == manifest["binaryData"][_FOLDER]:
            return False
        manifest["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        (await self.client.replace(manifest)).result()
        self._known.pop(release.name, None)
        return True

    async def all(self) -> list[Release]:
        """Return all that are kept; what can't be read is left out.

        Raises:
            ClusterError: they can't be read.
        """
        found = []
        for live in (await self.client.list(CONFIG_MAP, self.namespace, labelSelector=LABEL)).result()["items"]:
            try:
                found.append(release_of(live))
            except InvalidError:
                continue
        return found

    def _ref(self, name: str) -> ObjectRef:
        return ObjectRef(CONFIG_MAP.api_version, CONFIG_MAP.kind, self.namespace, f"{PREFIX}{name}")

    def _manifest(self, release: Release) -> Manifest:
        ref = self._ref(release.name)
        metadata = {"name": ref.name, "namespace": ref.namespace, "labels": {LABEL: "true"}}
        texts = {_FOLDER: release.packed, _BILL: release.bill.model_dump_json(exclude_defaults=True).encode()}
        data = {key: base64.b64encode(text).decode() for key, text in texts.items()}
        return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, "binaryData": data}


def release_of(live: Manifest) -> Release:
    """Read a release from its ConfigMap.

    Raises:
        InvalidError: it is damaged.
    """
    name = live["metadata"]["name"]
    try:
        packed, bill = (base64.b64decode(live["binaryData"][key], validate=True) for key in (_FOLDER, _BILL))
        return Release(Bill.model_validate_json(bill), packed)
    except (KeyError, TypeError, ValueError, binascii.Error, ValidationError):
        raise InvalidError(f"ConfigMap {name}: holds no release; install it again: aistack release install") from None
