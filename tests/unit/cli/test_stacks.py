"""A cluster that doesn't know what an AIStack is, and one whose API server is away for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from aistack.cli.stacks import Stacks
from aistack.cluster.client import Client
from aistack.errors import ClusterError


async def knows_nothing(_: web.Request) -> web.Response:
    return web.json_response({"items": []})


async def test_a_missing_crd_says_how_to_install_it(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/api", knows_nothing)
    app.router.add_get("/apis", knows_nothing)
    async with TestServer(app) as server:
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
            "clusters": [{"name": "c", "cluster": {"server": str(server.make_url("/")).rstrip("/")}}],
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        async with await Client.connect("test", str(tmp_path / "kubeconfig")) as client:
            found = Stacks(client, "kubectl aistack {}".format)
            for ask in (found.find("ml", "demo"), found.list()):
                with pytest.raises(ClusterError, match=r"run: kubectl aistack crd \| kubectl apply --server-side -f -"):
                    await ask
