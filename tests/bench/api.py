"""The harness's own way to the API server; its requests have a user agent of their own and are nobody's cost."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml

MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
CONFIG_MAPS = "/api/v1/namespaces/{}/configmaps"
NETWORK_POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
STACKS = "/apis/aistack.dev/v1alpha1/namespaces/{}/aistacks"


class Api:
    """Plain requests as the administrator.

    Args:
        kubeconfig: with keys in it.
        folder: where the keys may lie as files.
    """

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = str(cluster["server"])
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "bench"
        key, certificate, authority = (folder / name for name in ("bench.key", "bench.crt", "bench-ca.crt"))
        for file, text in (
            (key, user["client-key-data"]),
            (certificate, user["client-certificate-data"]),
            (authority, cluster["certificate-authority-data"]),
        ):
            file.write_bytes(base64.b64decode(text))
            file.chmod(0o600)
        self._session.cert, self._session.verify = (str(certificate), str(key)), str(authority)

    def send(self, method: str, path: str, body: object = None, content: str = "application/json", **query: str) -> Any:
        """Send a request, and return the answer; None where there is nothing.

        Raises:
            requests.HTTPError: the API server refused.
        """
        data = None if body is None else json.dumps(body)
        reply = self._session.request(
            method, self.url + path, data=data, params=query, headers={"Content-Type": content}, timeout=120
        )
        if reply.status_code == 404 and method in ("GET", "DELETE"):
            return None
        if not reply.ok:
            raise requests.HTTPError(f"{method} {path}: {reply.status_code} {reply.text[:500]}")
        return reply.json()

    def make(self, collection: str, manifest: object) -> Any:
        """Create an object."""
        return self.send("POST", collection, manifest, fieldManager="bench")

    def patch(self, path: str, body: object, manager: str = "bench") -> Any:
        """Merge-patch an object."""
        return self.send("PATCH", path, body, MERGE, fieldManager=manager)

    @contextmanager
    def events(self, collection: str, name: str, seconds: int = 600) -> Iterator[Iterator[dict[str, Any]]]:
        """Watch one object: what it is now, and each change."""
        query = {"watch": "true", "timeoutSeconds": str(seconds)}
        if name:
            query["fieldSelector"] = f"metadata.name={name}"
        with self._session.get(self.url + collection, params=query, stream=True, timeout=seconds) as reply:
            reply.raise_for_status()
            yield _lines(reply)

    def wait(self, collection: str, name: str, check: Callable[[dict[str, Any]], bool], seconds: int = 600) -> float:
        """Wait until an object is as wanted, and return when that was told."""
        with self.events(collection, name, seconds) as events:
            for event in events:
                if event["type"] != "DELETED" and check(event["object"]):
                    return time.perf_counter()
        raise TimeoutError(f"{collection}/{name} isn't as wanted after {seconds} s")

    def wait_gone(self, collection: str, name: str, seconds: float = 600) -> None:
        """Wait until an object is gone."""
        deadline = time.monotonic() + seconds
        while self.send("GET", f"{collection}/{name}") is not None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{collection}/{name} is still there after {seconds:.0f} s")
            time.sleep(0.02)


def _lines(reply: requests.Response) -> Iterator[dict[str, Any]]:
    rest = b""
    for chunk in reply.iter_content(chunk_size=None):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines if line)


def ready(manifest: dict[str, Any]) -> bool:
    """Whether an object says that it is Ready at its newest generation."""
    status = manifest.get("status", {})
    if status.get("observedGeneration") != manifest["metadata"]["generation"]:
        return False
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
