"""Users' Secrets that stacks refer to: followed by name, read when they change, told without what is secret of them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aistack.cluster.client import Client
from aistack.cluster.live import Live
from aistack.cluster.reflector import Reflector, Source
from aistack.cluster.settings import SECRET, Settings
from aistack.cluster.store import OnChange
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.objects.plan import OwnerKey
from aistack.objects.users import Sought, UserSecret

Key = tuple[str, str]
"""Namespace and name of a Secret."""
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


@dataclass
class _Followed:
    """One Secret: its watch, and what was read of it."""

    reflector: Reflector
    task: asyncio.Task[None]
    version: int = 0
    """The newest that the watch told of; 0 while there is none."""
    seen: tuple[int, Mapping[str, bool]] | None = None
    secret: UserSecret | None = None


class _News:
    """Takes a reflector's news of one Secret."""

    def __init__(self, users: Users, key: Key) -> None:
        self._users, self._key = users, key

    def see(self, live: Live) -> None:
        self._users.note(self._key, live.version)

    def gone(self, ref: ObjectRef, version: int) -> None:
        self._users.note(self._key, 0)

    def replace(self, kind: ObjectKind, namespace: str, lives: Iterable[Live], version: int) -> None:
        self._users.note(self._key, max((live.version for live in lives), default=0))

    def passed(self, kind: ObjectKind, namespace: str, version: int) -> None:
        """Bookmarks are no news."""


@dataclass
class Users:
    """Reads users' Secrets, each once for every change of it.

    Args:
        client: requests.
        settings: limits of watches.
        on_change: called with each owner that refers to a Secret that changed.
        watching: False for commands that look once: each call reads anew then.
    """

    client: Client
    settings: Settings
    on_change: OnChange
    watching: bool
    _followed: dict[Key, _Followed] = field(default_factory=dict)
    _readers: dict[OwnerKey, frozenset[str]] = field(default_factory=dict)

    async def read(self, owner: OwnerKey, sought: Sought) -> dict[str, UserSecret]:
        """Return the Secrets that exist; watches that nobody needs any more end.

        Raises:
            ClusterError: one can't be read.
        """
        self._readers[owner] = frozenset(sought)
        await self._drop_unread()
        found = await asyncio.gather(*(self._one(owner[0], name, keys) for name, keys in sought.items()))
        return {name: secret for name, secret in zip(sought, found, strict=True) if secret is not None}

    async def forget(self, owner: OwnerKey) -> None:
        """End the watches that an owner alone needed."""
        self._readers.pop(owner, None)
        await self._drop_unread()

    async def stop(self) -> None:
        """End all watches."""
        self._readers.clear()
        await self._drop_unread()

    def note(self, key: Key, version: int) -> None:
        """Take note of a Secret's version, and tell its readers if it is news; 0 when it was deleted."""
        followed = self._followed.get(key)
        if followed is None or followed.version == version:
            return
        followed.version = version
        for owner, names in self._readers.items():
            if owner[0] == key[0] and key[1] in names:
                self.on_change(owner)

    async def _one(self, namespace: str, name: str, sought: Mapping[str, bool]) -> UserSecret | None:
        if not self.watching:
            return (await self._fetch(namespace, name, sought))[1]
        followed = self._follow((namespace, name))
        await followed.reflector.attempted.wait()
        if not followed.reflector.synced:
            raise followed.reflector.error or ClusterError(f"Secret {namespace}/{name} was not read yet")
        if not followed.version:
            return None
        if followed.seen != (followed.version, sought):
            version, followed.secret = await self._fetch(namespace, name, sought)
            followed.seen = (version, sought)
        return followed.secret

    async def _fetch(self, namespace: str, name: str, sought: Mapping[str, bool]) -> tuple[int, UserSecret | None]:
        reply = await self.client.get(ObjectRef("v1", "Secret", namespace, name))
        if reply.status == 404:
            return 0, None
        secret = reply.result()
        version = int(secret["metadata"]["resourceVersion"])
        return version, await asyncio.to_thread(told, namespace, name, decoded(secret), sought)

    def _follow(self, key: Key) -> _Followed:
        if key not in self._followed:
            source = Source(SECRET, key[0], "", False, key[1])
            reflector = Reflector(self.client, _News(self, key), source, self.settings)
            self._followed[key] = _Followed(reflector, reflector.start())
        return self._followed[key]

    async def _drop_unread(self) -> None:
        read = {(owner[0], name) for owner, names in self._readers.items() for name in names}
        ended = [self._followed.pop(key).task for key in self._followed.keys() - read]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
