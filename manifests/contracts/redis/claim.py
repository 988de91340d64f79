"""Makes one consumer's user: keys and channels under its prefix, and no command that administers the store.

A new generation of the share is another user; the one before it works until the generation after. Keys belong to
nobody: they stay when users go. Passwords reach the store as their SHA-256, so that no log of commands can show them.
"""

import hashlib

import redis
from contracts.redis.client import connect

KEPT_USERS = 2
PROBE = "aistack-claim"
ALLOWED = ("+@all", "-@admin", "-@dangerous", "+info", "+sort", "+sort_ro")
"""All but what administers or reads all keys at once; ``info`` is asked by most client libraries."""


def claim(admin: dict[str, str], share: dict[str, str]) -> None:
    """Make the store accept the share; what exists already is brought in line."""
    with connect(admin) as store:
        make_user(store, share)
        keep(store)
    verify(share)
    with connect(admin) as store:
        drop_users(store, users(store, share["username"])[:-KEPT_USERS])


def retire(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all users of the share but its own, and their sessions."""
    with connect(admin) as store:
        drop_users(store, [name for name in users(store, share["username"]) if name != share["username"]])


def revoke(admin: dict[str, str], share: dict[str, str]) -> None:
    """End all users of the share and their sessions; what they wrote stays."""
    with connect(admin) as store:
        drop_users(store, users(store, share["username"]))


def make_user(store: redis.Redis, share: dict[str, str]) -> None:
    """Make the user, or make it anew: it has these rights and no others."""
    password = hashlib.sha256(share["password"].encode()).hexdigest()
    place = (f"~{share['prefix']}*", f"&{share['prefix']}*")
    store.execute_command("ACL", "SETUSER", share["username"], "reset", "on", f"#{password}", *place, *ALLOWED)


def keep(store: redis.Redis) -> None:
    """Write the users to the store's file, so that they survive its restart."""
    store.execute_command("ACL", "SAVE")


def verify(share: dict[str, str]) -> None:
    """Work as the consumer will, and see that its user has no business elsewhere."""
    key = f"{share['prefix']}{PROBE}"
    with connect(share) as own:
        own.set(key, "1", ex=60)
        own.delete(key)
    try:
        with connect(share) as own:
            own.get(PROBE)
    except PermissionError:
        return
    raise PermissionError(f"user {share['username']} can read keys that aren't its own")


def users(store: redis.Redis, username: str) -> list[str]:
    """Return the share's users, oldest generation first."""
    base = username.rpartition(".")[0]
    names = [str(name) for name in store.execute_command("ACL", "USERS")]
    found = [name for name in names if name.rpartition(".")[0] == base and name.rpartition(".")[2].isdigit()]
    return sorted(found, key=lambda name: int(name.rpartition(".")[2]))


def drop_users(store: redis.Redis, names: list[str]) -> None:
    """Drop users; the store ends their sessions."""
    if names:
        store.execute_command("ACL", "DELUSER", *names)
        keep(store)
