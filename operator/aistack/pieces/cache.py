"""Pieces kept in the operator's namespace, so that a restart needs no registry: one ConfigMap for each AIComponent."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import orjson

from aistack.api.group import GROUP
from aistack.cluster.client import Client
from aistack.cluster.home import create_at_home
from aistack.cluster.settings import CONFIG_MAP
from aistack.errors import InvalidError
from aistack.objects.artifact import parse_reference
from aistack.objects.manifest import Manifest, ObjectRef, content_hash
from aistack.pieces.loading import Wanted

PREFIX = "piece."
_FOLDER, _KEPT = "folder.tar.gz", f"{GROUP}/piece"


def check_key(wanted: Wanted, base_digest: str) -> str:
    """Return what tells one check of a piece from another: its artifact, what it may do, and who checked it."""
    return content_hash([_told(wanted), base_digest, version("aistack")], 40)


@dataclass(frozen=True)
class Kept:
    """A packed folder that passed its checks, and which these were."""

    wanted: Wanted
    key: str
    packed: bytes


@dataclass(frozen=True)
class Cache:
    """Keeps the piece of each AIComponent that was in use last.

    Args:
        client: reads and writes them.
        namespace: the operator's own.
    """

    client: Client
    namespace: str

    async def get(self, name: str) -> Kept | None:
        """Return what is kept of an AIComponent; what can't be read counts as nothing.

        Raises:
            ClusterError: the API server couldn't be asked.
        """
        reply = await self.client.get(self._ref(name))
        if reply.status == 404:
            return None
        found = reply.result()
        try:
            told = orjson.loads((found["metadata"].get("annotations") or {})[_KEPT])
            packed = base64.b64decode(found["binaryData"][_FOLDER], validate=True)
            reference = parse_reference(told["artifact"])
            makes = None if told["makes"] is None else tuple(told["makes"])
            return Kept(Wanted(name, reference, frozenset(told["replaces"]), makes), told["key"], packed)
        except (KeyError, TypeError, ValueError, binascii.Error, InvalidError):
            return None

    async def put(self, kept: Kept) -> None:
        """Keep a piece.

        Raises:
            ClusterError: it can't be written.
        """
        live, manifest = await self.client.get(self._ref(kept.wanted.name)), self._manifest(kept)
        if live.status == 404:
            (await create_at_home(self.client, manifest)).result()
            return
        manifest["metadata"]["resourceVersion"] = live.result()["metadata"]["resourceVersion"]
        (await self.client.replace(manifest)).result()

    async def forget(self, name: str) -> None:
        """Keep it no longer.

        Raises:
            ClusterError: it can't be deleted.
        """
        live = await self.client.get(self._ref(name))
        if live.status == 404:
            return
        reply = await self.client.delete(self._ref(name), live.result()["metadata"]["uid"])
        if reply.status != 404:
            reply.result()

    def _ref(self, name: str) -> ObjectRef:
        return ObjectRef(CONFIG_MAP.api_version, CONFIG_MAP.kind, self.namespace, f"{PREFIX}{name}")

    def _manifest(self, kept: Kept) -> Manifest:
        ref = self._ref(kept.wanted.name)
        told = orjson.dumps({**_told(kept.wanted), "key": kept.key}).decode()
        metadata = {"name": ref.name, "namespace": ref.namespace, "annotations": {_KEPT: told}}
        data = {_FOLDER: base64.b64encode(kept.packed).decode()}
        return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, "binaryData": data}


def _told(wanted: Wanted) -> dict[str, Any]:
    return {"artifact": str(wanted.reference), "replaces": sorted(wanted.replaces), "makes": wanted.makes}
