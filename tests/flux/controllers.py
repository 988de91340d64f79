"""Flux's controllers as processes, and what their user asks them and reads of them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.cluster.common.daemons import Daemon
from tests.cluster.common.ports import free_ports
from tests.flux.programs import programs
from tests.journey.kube import Kube, eventually

SYSTEM = "flux-system"
COMMON = ("--watch-all-namespaces", "--log-encoding=json", "--metrics-addr=0")
"""Flux's own manifests have the first two."""


@dataclass(frozen=True)
class Flux:
    """source-controller and kustomize-controller at work on a cluster."""

    kube: Kube
    folder: Path
    daemons: list[Daemon] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Flux]:
        """Define Flux's kinds, and run its controllers until the block ends."""
        self.kube.run("create", "namespace", SYSTEM)
        self.kube.define(programs() / "crds")
        try:
            self._start()
            yield self
        finally:
            for daemon in self.daemons:
                daemon.stop()

    def _start(self) -> None:
        storage, source, kustomize = free_ports(3)
        (self.folder / "artifacts").mkdir()
        where = f"127.0.0.1:{storage}"
        kept = (f"--storage-path={self.folder / 'artifacts'}", f"--storage-addr={where}", f"--storage-adv-addr={where}")
        self._run("source-controller", source, *kept)
        self._run("kustomize-controller", kustomize, "--requeue-dependency=2s")

    def _run(self, name: str, port: int, *options: str) -> None:
        daemon = Daemon(name, self.folder)
        self.daemons.append(daemon)
        env = {"KUBECONFIG": str(self.kube.kubeconfig), "RUNTIME_NAMESPACE": SYSTEM, "NO_PROXY": "127.0.0.1"}
        command = [programs() / name, *COMMON, f"--health-addr=127.0.0.1:{port}", *options]
        daemon.start(command, env, tied=True)
        daemon.wait_until(lambda: _well(f"http://127.0.0.1:{port}/readyz"), timeout=60)

    # ------------------------------------------------------------------ what a user does

    def status(self, name: str) -> dict[str, Any]:
        """Return a Kustomization's status."""
        return dict(self.kube.json("-n", SYSTEM, "get", "kustomization", name).get("status", {}))

    def ready(self, name: str) -> tuple[str, str, str]:
        """Return status, reason and message of a Kustomization's condition Ready."""
        conditions = self.status(name).get("conditions", [])
        found = next((c for c in conditions if c["type"] == "Ready"), {})
        return found.get("status", ""), found.get("reason", ""), found.get("message", "")

    def fetch(self, source: str, revision: str) -> None:
        """Have a GitRepository looked at now, as `flux reconcile source git` does, and wait for a revision."""
        self._ask("gitrepository", source)
        eventually(lambda: self._artifact(source) == revision, seconds=60)

    def apply_again(self, name: str) -> list[dict[str, str]]:
        """Have a Kustomization applied now, as `flux reconcile kustomization` does, and wait until it was.

        Asked twice: a pass that had begun before takes the first question for answered when it ends.

        Returns:
            What this did to each object; a list, as there are several passes.
        """
        before = len(self.applied(name))
        for _ in range(2):
            asked = self._ask("kustomization", name)
            eventually(lambda asked=asked: self.status(name).get("lastHandledReconcileAt") == asked, seconds=120)
        return self.applied(name)[before:]

    def applied(self, name: str) -> list[dict[str, str]]:
        """Return what each pass over a Kustomization did to each object, oldest first."""
        lines = [json.loads(line) for line in self._log().splitlines() if "server-side apply completed" in line]
        return [line["output"] for line in lines if line["name"] == name]

    def _artifact(self, source: str) -> str:
        live = self.kube.json("-n", SYSTEM, "get", "gitrepository", source)
        return str(live.get("status", {}).get("artifact", {}).get("revision", ""))

    def _ask(self, kind: str, name: str) -> str:
        token = f"{time.time()}-{uuid.uuid4()}"
        self.kube.run("-n", SYSTEM, "annotate", kind, name, "--overwrite", f"reconcile.fluxcd.io/requestedAt={token}")
        return token

    def _log(self) -> str:
        return self.daemons[-1].log.read_text("utf-8")


def _well(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
