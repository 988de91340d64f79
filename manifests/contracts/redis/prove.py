"""Proves a store that speaks Redis' protocol: work in it as its consumer does, and see that nobody else gets in."""

import secrets
import time
from typing import Any

import redis
from contracts.redis.client import check_version, connect, plain_errors

LIFE_SECONDS = 60
"""After it, the store itself drops what a proof that was cut off left behind."""
EXPIRY_MS = 200
PATIENCE_SECONDS = 5.0
COUNT = "return redis.call('incrby', KEYS[1], ARGV[1])"


def prove(share: dict[str, str], step: Any) -> None:
    """Write, read, expire and count; then be refused where the user has no business."""
    key = f"{share.get('prefix', '')}aistack-proof-{secrets.token_hex(8)}"
    work(share, step, key)
    step.refuses("a session without a login", lambda: enter(share, login=False))
    step.refuses("a wrong password", lambda: enter({**share, "password": secrets.token_hex(20)}))
    if share.get("prefix"):
        step.refuses("a key of others", lambda: ask(share, "GET", "aistack-proof"))
        step.refuses("a channel of others", lambda: ask(share, "PUBLISH", "aistack-proof", "x"))
        step.refuses("administration", lambda: ask(share, "ACL", "LIST"))


def work(share: dict[str, str], step: Any, key: str) -> None:
    """Do what a consumer does."""
    with step("log in"), connect(share) as session:
        session.ping()
        check_version(session)
    with connect(share) as session:
        try:
            with step("set a key and get it"), plain_errors(share):
                write_and_read(session, key)
            with step("see a key expire"), plain_errors(share):
                see_expire(session, key)
            with step("count in one go with a script"), plain_errors(share):
                count(session, key)
            with step("fill a list and take from it"), plain_errors(share):
                fill_and_take(session, f"{key}-list")
        finally:
            with step("delete it"), plain_errors(share):
                session.delete(key, f"{key}-list")


def enter(binding: dict[str, str], *, login: bool = True) -> None:
    """Say hello."""
    with connect(binding, login=login) as session:
        session.ping()


def ask(binding: dict[str, str], *command: str) -> None:
    """Send one command."""
    with connect(binding) as session:
        session.execute_command(*command)


def write_and_read(session: redis.Redis, key: str) -> None:
    """Compare what comes back with what was written."""
    written = secrets.token_hex(32)
    session.set(key, written, ex=LIFE_SECONDS)
    if session.get(key) != written:
        raise RuntimeError("a key came back with another value than was written")


def see_expire(session: redis.Redis, key: str) -> None:
    """Give a key a short life and wait for its end."""
    session.set(key, "1", px=EXPIRY_MS)
    end = time.monotonic() + PATIENCE_SECONDS
    while session.get(key) is not None:
        if time.monotonic() > end:
            raise RuntimeError(f"a key with {EXPIRY_MS} ms to live is there after {PATIENCE_SECONDS:.0f} s")
        time.sleep(EXPIRY_MS / 2000)


def count(session: redis.Redis, key: str) -> None:
    """Run a script, as queues do."""
    session.set(key, "1", ex=LIFE_SECONDS)
    if session.eval(COUNT, 1, key, "41") != 42:
        raise RuntimeError("a script that adds 41 to 1 didn't come to 42")


def fill_and_take(session: redis.Redis, key: str) -> None:
    """Put words into a list and take them out in order."""
    words = ["first", "second", "third"]
    session.rpush(key, *words)
    session.expire(key, LIFE_SECONDS)
    taken = [session.lpop(key) for _ in words]
    if taken != words:
        raise RuntimeError("a list gave its words back in another order")
