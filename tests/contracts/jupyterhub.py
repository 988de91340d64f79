"""JupyterHub on loopback, with the configuration that ships; routes are kept in memory and servers are processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def jupyterhub(shipped: Shipped, folder: Path) -> Iterator[None]:
    """Run it with two users whose passwords are their names and ``-password``."""
    config, port = shipped.config(f"{STACK}-jupyterhub-hub"), shipped.ports["notebooks"]
    settings = json.loads(config["settings.json"])
    passwords = folder / "passwords"
    passwords.mkdir()
    for user in USERS:
        (passwords / user).write_text(f"{user}-password", "utf-8")
    settings |= {"users": list(USERS), "passwords": str(passwords)}
    settings["hub"]["connectUrl"] = f"http://127.0.0.1:{port}"
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    (folder / "jupyterhub_config.py").write_text(config["jupyterhub_config.py"], "utf-8")
    (folder / "local.py").write_text(LOCAL % port, "utf-8")
    programs = servers.image_programs("jupyterhub/image/hub")
    environment = shipped.environment(shipped.pod(f"{STACK}-jupyterhub-hub")["containers"][0])
    command = [str(programs / "jupyterhub"), "--config", str(folder / "local.py")]
    with servers.server(command, folder, servers.answers(f"http://127.0.0.1:{port}/hub/health"), environment):
        yield
