"""Users' Secrets that stacks refer to: followed by name, read when they change, told without what is secret of them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping

from aistack.cluster.client import Client
from aistack.cluster.named import Named
from aistack.cluster.settings import SECRET, Settings
from aistack.cluster.store import OnChange
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.objects.plan import OwnerKey
from aistack.objects.users import Sought, UserSecret

_Reader = tuple[str, str, str]
"""Namespace and name of a Secret, and as whom it was read."""
_COST = {"n": 2**13, "r": 8, "p": 1}
"""Of a mark: some 20 ms and 8 MiB, so that nobody tries a dictionary of passwords on it."""


def mark(namespace: str, name: str, key: str, value: bytes) -> str:
    """Return a text that changes when, and only when, a secret value does, and from which it can't be had."""
    salt = "/".join(("aistack", namespace, name, key)).encode()
    return hashlib.scrypt(value, salt=salt, dklen=12, **_COST).hex()


async def read_secret(client: Client, namespace: str, name: str) -> dict[str, bytes]:
    """Read a user's Secret.

    Raises:
        ClusterError: it can't be read, or isn't there.
    """
    return decoded((await client.get(ObjectRef("v1", "Secret", namespace, name))).result())


def decoded(secret: Manifest) -> dict[str, bytes]:
    """Return a Secret's values."""
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def told(namespace: str, name: str, data: Mapping[str, bytes], sought: Mapping[str, bool]) -> UserSecret:
    """Return what planning may see of a Secret.

    Args:
        namespace: its namespace.
        name: its name.
        data: its values.
        sought: keys that are wanted, and whether their values are secret.
    """
    wanted = {key: data[key] for key in sought if data.get(key, b"").strip()}
    unusable = {key: problem for key, value in wanted.items() if (problem := _problem(value, sought[key]))}
    usable = {key: value for key, value in wanted.items() if key not in unusable}
    return UserSecret(
        values={key: value.decode().strip() for key, value in usable.items() if not sought[key]},
        marks={key: mark(namespace, name, key, value) for key, value in usable.items() if sought[key]},
        unusable=unusable,
        others=frozenset(data.keys() - sought.keys()),
    )


def _problem(value: bytes, secret: bool) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "it isn't text in UTF-8"
    if secret and text != text.rstrip("\r\n"):
        return "it ends with a line break (echo writes one: use printf, or kubectl create secret --from-literal)"
    return ""


class Users:
    """Reads users' Secrets, each once for every change of it and for each account that asks.

    What an account may read isn't told to another one, not even that it is there.

    Args:
        client: follows them.
        settings: limits of watches.
        on_change: called with each owner that refers to a Secret that changed.
        watching: False for commands that look once: each call reads anew then.
    """

    def __init__(self, client: Client, settings: Settings, on_change: OnChange, watching: bool) -> None:
        self._named = Named(client, settings, SECRET, on_change)
        self._watching = watching
        self._seen: dict[_Reader, tuple[int, Mapping[str, bool], UserSecret | None]] = {}

    async def read(self, owner: OwnerKey, sought: Sought, client: Client) -> dict[str, UserSecret]:
        """Return the Secrets that exist; watches that nobody needs any more end.

        Args:
            owner: who refers to them.
            sought: their names, and what is wanted of each.
            client: reads them, as whom they must be readable for.

        Raises:
            ClusterError: one can't be read.
        """
        versions = await self._named.versions(owner, sought) if self._watching else dict.fromkeys(sought, -1)
        self._seen = {reader: seen for reader, seen in self._seen.items() if reader[:2] in self._named}
        found = await asyncio.gather(*(self._one(owner[0], name, versions[name], sought, client) for name in sought))
        return {name: secret for name, secret in zip(sought, found, strict=True) if secret is not None}

    async def forget(self, owner: OwnerKey) -> None:
        """End the watches that an owner alone needed."""
        await self._named.forget(owner)

    async def stop(self) -> None:
        """End all watches."""
        await self._named.stop()

    async def _one(self, namespace: str, name: str, version: int, sought: Sought, client: Client) -> UserSecret | None:
        """Return a Secret as it was read at this version; -1 has it read anew."""
        reader, keys = (namespace, name, client.user), sought[name]
        seen = self._seen.get(reader)
        if seen is not None and seen[:2] == (version, keys):
            return seen[2]
        if not (version or client.user):
            return None
        read, secret = await _fetch(client, namespace, name, keys)
        self._seen[reader] = (read, keys, secret)
        return secret


async def _fetch(client: Client, namespace: str, name: str, keys: Mapping[str, bool]) -> tuple[int, UserSecret | None]:
    reply = await client.get(ObjectRef("v1", "Secret", namespace, name))
    if reply.status == 404:
        return 0, None
    secret = reply.result()
    version = int(secret["metadata"]["resourceVersion"])
    return version, await asyncio.to_thread(told, namespace, name, decoded(secret), keys)
