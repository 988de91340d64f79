"""Helm and Flux over the same objects."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.api import ready
from tests.bench.contenders import Contender
from tests.bench.load import NAME
from tests.bench.measure import Cost, run_measured
from tests.chart.helm import VERSION, helm
from tests.flux.controllers import SYSTEM, Flux
from tests.flux.programs import CONTROLLERS, MODULE
from tests.flux.repository import BRANCH, Repository

KUSTOMIZATIONS = f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{SYSTEM}/kustomizations"
REPOSITORIES = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{SYSTEM}/gitrepositories"
INTERVAL = "1h"
ASKED = "reconcile.fluxcd.io/requestedAt"


class Helm(Contender):
    """``helm install``, ``upgrade`` and ``uninstall`` of a chart of plain files."""

    def prepare(self, count: int) -> None:
        """Make a chart of each set of objects."""
        super().prepare(count)
        for name in ("base", "changed"):
            templates = self.folder / self.name / name / "templates"
            templates.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / self.name / f"{name}.yaml", templates / "objects.yaml")
            chart = {"apiVersion": "v2", "name": NAME, "version": "1.0.0"}
            (templates.parent / "Chart.yaml").write_text(json.dumps(chart))

    def create(self, cost: Cost) -> None:
        """Install."""
        self._run(cost, "install", NAME, self._chart("base"))

    def again(self, cost: Cost) -> None:
        """Upgrade to the same chart."""
        self._run(cost, "upgrade", NAME, self._chart("base"))

    def change(self, cost: Cost) -> None:
        """Upgrade to the other chart."""
        self._run(cost, "upgrade", NAME, self._chart("changed"))

    def delete(self, cost: Cost) -> None:
        """Uninstall."""
        self._run(cost, "uninstall", NAME)

    def _run(self, cost: Cost, *words: str) -> None:
        options = ["--kubeconfig", str(self.plane.kubeconfig), "--namespace", self.namespace]
        run_measured([str(helm()), *words, *options], cost)

    def _chart(self, name: str) -> str:
        return str(self.folder / self.name / name)


@dataclass
class FluxWatch(Contender):
    """Flux: source-controller and kustomize-controller over a Git repository, asked instead of waited for."""

    flux: Flux = field(kw_only=True)
    git: str = field(kw_only=True)
    """URL of the Git server."""
    _turn: int = 0

    def pids(self) -> list[int]:
        """Return both controllers."""
        return [daemon.pid for daemon in self.flux.daemons if daemon.pid]

    def prepare(self, count: int) -> None:
        """Make the repository, the first time."""
        super().prepare(count)
        self.edits = 3 if count <= 100 else 1  # each takes a whole pass
        if self._turn == 0:
            self._repository = Repository.create(self.folder, "platform/load")
            self._push("base")
            spec = {"url": f"{self.git}/platform/load", "interval": INTERVAL, "ref": {"branch": BRANCH}}
            self.api.make(REPOSITORIES, _object("source.toolkit.fluxcd.io/v1", "GitRepository", spec))

    def reset(self) -> None:
        """Have the first set of objects in Git, and seen."""
        revision = self._push("base")
        self._ask(REPOSITORIES)
        seen = lambda o: o.get("status", {}).get("artifact", {}).get("revision") == revision  # noqa: E731
        self.api.wait(REPOSITORIES, NAME, seen)

    def create(self, cost: Cost) -> None:
        """Make the Kustomization."""
        spec = {
            "sourceRef": {"kind": "GitRepository", "name": NAME},
            "path": "./set",
            "interval": INTERVAL,
            "prune": True,
        }
        made = _object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec)
        self._timed(cost, lambda: self.api.make(KUSTOMIZATIONS, made), ready)

    def again(self, cost: Cost) -> None:
        """Ask for a pass."""
        token = self._token()
        answered = lambda o: o.get("status", {}).get("lastHandledReconcileAt") == token  # noqa: E731
        self._timed(cost, lambda: self._ask(KUSTOMIZATIONS, token), answered)

    def change(self, cost: Cost) -> None:
        """Ask for the repository to be looked at, after a commit."""
        revision = self._push("changed")
        applied = lambda o: o["status"].get("lastAppliedRevision") == revision and ready(o)  # noqa: E731
        self._timed(cost, lambda: self._ask(REPOSITORIES), applied)

    def delete(self, cost: Cost) -> None:
        """Delete the Kustomization, which prunes."""
        started = time.perf_counter()
        self.api.send("DELETE", f"{KUSTOMIZATIONS}/{NAME}")
        self.api.wait_gone(KUSTOMIZATIONS, NAME)
        cost.seconds = time.perf_counter() - started

    def ask(self) -> None:
        """Have drift looked for now: by itself it is seen at the interval."""
        self._ask(KUSTOMIZATIONS)

    def _timed(self, cost: Cost, do: Callable[[], Any], check: Callable[[dict[str, Any]], bool]) -> None:
        started = time.perf_counter()
        do()
        cost.seconds = self.api.wait(KUSTOMIZATIONS, NAME, check) - started

    def _ask(self, collection: str, token: str = "") -> None:
        annotations = {ASKED: token or self._token()}
        self.api.patch(f"{collection}/{NAME}", {"metadata": {"annotations": annotations}})

    def _token(self) -> str:
        return f"{time.time()}-{uuid.uuid4()}"

    def _push(self, name: str) -> str:
        """Put a set of objects into Git; always a commit of its own."""
        self._turn += 1
        text = Path(self.folder / self.name / f"{name}.yaml").read_text("utf-8")
        return self._repository.push({"set/objects.yaml": text, "turn.txt": str(self._turn)})


def helm_version() -> str:
    """Return which Helm this is."""
    return VERSION


def flux_versions() -> dict[str, str]:
    """Return which controllers of Flux these are."""
    lines = (line.split() for line in (MODULE / "go.mod").read_text("utf-8").splitlines())
    found = {words[0].rpartition("/")[2]: words[1] for words in lines if len(words) > 1}
    return {name: found[name] for name in CONTROLLERS}


def _object(api_version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": NAME, "namespace": SYSTEM}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
