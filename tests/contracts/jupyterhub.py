"""JupyterHub on loopback, with the configuration that ships; routes are kept in memory and servers are processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from tests.contracts import servers
from tests.contracts.shipped import STACK, Shipped

LOCAL = '''
from jupyterhub.proxy import Proxy


class MemoryProxy(Proxy):
    """Keeps routes and forwards nothing: the hub is asked directly."""

    should_start = False
    routes = {}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes


load_subconfig("jupyterhub_config.py", path=".")
c = get_config()
c.JupyterHub.proxy_class = MemoryProxy
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:%d"
'''
USERS = ("admin", "ada")
"""The administrator and a teammate."""
SHOW = """
import json
from traitlets.config import PyFileConfigLoader
print(json.dumps(PyFileConfigLoader("jupyterhub_config.py", path=".").load_config(), default=repr))
"""


@contextmanager
def jupyterhub(
    shipped: Shipped,
    folder: Path,
    users: Sequence[str] = USERS,
    changes: Mapping[str, str] | None = None,
    public_url: str = "",
) -> Iterator[None]:
    """Run it with users whose passwords are their names and ``-password``.

    Args:
        shipped: the stack.
        folder: scratch space; may be one where it ran before.
        users: the administrator and the others.
        changes: to the environment that ships.
        public_url: where the page is exposed, if it is.
    """
    port = shipped.ports["notebooks"]
    _configure(shipped, folder, users, public_url)
    (folder / "local.py").write_text(LOCAL % port, "utf-8")
    command = [str(_programs() / "jupyterhub"), "--config", str(folder / "local.py")]
    environment = {**_environment(shipped), **(changes or {})}
    with servers.server(command, folder, servers.answers(f"http://127.0.0.1:{port}/hub/health"), environment):
        yield


def configuration(shipped: Shipped, folder: Path) -> dict[str, Any]:
    """Return what the shipped configuration sets, by class and name."""
    _configure(shipped, folder, USERS)
    command = [str(_programs() / "python"), "-c", SHOW]
    done = subprocess.run(command, cwd=folder, env=_environment(shipped), check=True, capture_output=True)
    return cast(dict[str, Any], json.loads(done.stdout))


def _configure(shipped: Shipped, folder: Path, users: Sequence[str], public_url: str = "") -> None:
    config = shipped.config(f"{STACK}-jupyterhub-hub")
    settings = json.loads(config["settings.json"])
    passwords = folder / "passwords"
    passwords.mkdir(exist_ok=True)
    for user in users:
        (passwords / user).write_text(f"{user}-password", "utf-8")
    settings |= {"users": list(users), "passwords": str(passwords), "publicUrl": public_url}
    settings["hub"]["connectUrl"] = f"http://127.0.0.1:{shipped.ports['notebooks']}"
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    (folder / "jupyterhub_config.py").write_text(config["jupyterhub_config.py"], "utf-8")


def _environment(shipped: Shipped) -> dict[str, str]:
    return shipped.environment(shipped.pod(f"{STACK}-jupyterhub-hub")["containers"][0])


def _programs() -> Path:
    return servers.image_programs("jupyterhub/image/hub")
