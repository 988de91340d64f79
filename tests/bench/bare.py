"""The limit: a client that only sends the requests, 32 at a time, over the session of the package ``kubernetes``.

It runs as a process that reads commands, one JSON line each: what to do, and the file with the objects.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import orjson
import yaml
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

IN_FLIGHT = 32
AGENT = "bare"
PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}


async def main(kubeconfig: str) -> None:
    """Do as told until standard input ends."""
    configuration = Configuration()
    await config.load_kube_config(kubeconfig, None, configuration, False)  # type: ignore[no-untyped-call]  # none there
    async with ApiClient(configuration) as api:
        session, loop = api.rest_client._create_pool_manager(), asyncio.get_running_loop()
        api.rest_client.pool_manager = session  # closed with it
        objects: dict[str, list[dict[str, Any]]] = {}
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            command = json.loads(line)
            if command["do"] == "read":
                objects[command["name"]] = await asyncio.to_thread(_read, Path(command["file"]))
            else:
                await _all(session, configuration.host, command["do"], objects[command["name"]])
            print("done", flush=True)


def _read(file: Path) -> list[dict[str, Any]]:
    return list(yaml.load_all(file.read_text("utf-8"), Loader=yaml.CSafeLoader))


async def _all(session: Any, host: str, verb: str, objects: list[dict[str, Any]]) -> None:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one(manifest: dict[str, Any]) -> None:
        metadata = manifest["metadata"]
        url = f"{host}{PATHS[manifest['kind']].format(metadata['namespace'])}/{metadata['name']}"
        headers = {"User-Agent": AGENT, "Content-Type": "application/apply-patch+yaml"}
        async with slots:
            if verb == "delete":
                sent = session.delete(url, headers={"User-Agent": AGENT})
            else:
                query = {"fieldManager": AGENT, "force": "false"}
                sent = session.patch(url, data=orjson.dumps(manifest), params=query, headers=headers)
            async with sent as response:
                body = await response.read()
                if response.status >= 400:
                    raise RuntimeError(f"{verb} {metadata['name']}: {response.status} {body[:500]!r}")

    async with asyncio.TaskGroup() as group:
        for manifest in objects:
            group.create_task(one(manifest))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
