"""A starter stack in a cluster, and what its user and two witnesses say about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journey.hub import Hub
from tests.journey.kube import Kube
from tests.journey.tracking import Login, Run, artifact_in_s3, log_run, metric_in_postgres


@dataclass(frozen=True)
class Starter:
    """One AIStack with ``profile: starter``."""

    kube: Kube
    namespace: str
    name: str

    def aistack(self, *args: str, timeout: float = 300, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the CLI as a user does."""
        command = [str(Path(sys.executable).parent / "aistack"), "-n", self.namespace, *args]
        env = os.environ | {"KUBECONFIG": str(self.kube.kubeconfig), "NO_COLOR": "1", "COLUMNS": "160"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, check=False)
        if check and done.returncode:
            raise AssertionError(f"aistack {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def manifest(self, **spec: Any) -> dict[str, Any]:
        """Return the AIStack."""
        return {
            "apiVersion": "aistack.dev/v1alpha1",
            "kind": "AIStack",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {"profile": "starter", **spec},
        }

    def live(self) -> dict[str, Any]:
        """Return the AIStack as it is now."""
        return dict(self.kube.json("-n", self.namespace, "get", "aistack", self.name))

    def condition(self, kind: str) -> dict[str, Any]:
        """Return one of its conditions; empty if there is none."""
        conditions = self.live().get("status", {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def login(self, component: str) -> tuple[str, str]:
        """Return the user and password that `aistack open` prints."""
        printed = self.aistack("open", component, "--stack", self.name, "--print", "-o", "json").stdout
        found = json.loads(printed)
        return found["username"], found["password"]

    def binding(self, consumer: str, contract: str) -> dict[str, str]:
        """Return a consumer's share, as its pods get it."""
        prefix = f"{self.name}-{consumer}-{contract}-"
        secrets = self.kube.json("-n", self.namespace, "get", "secrets")["items"]
        found = [
            s["metadata"]["name"].removeprefix(prefix) for s in secrets if s["metadata"]["name"].startswith(prefix)
        ]
        generations = [int(text) for text in found if text.isdigit()]
        assert generations, f"there is no Secret {prefix}N"
        return self.kube.secret(self.namespace, f"{prefix}{max(generations)}")

    @contextmanager
    def service(self, component: str, port: int, role: str = "") -> Iterator[int]:
        """Forward a component's Service and yield the local port."""
        name = "-".join(part for part in (self.name, component, role) if part)
        with self.kube.forward(self.namespace, f"service/{name}", port) as local:
            yield local

    @contextmanager
    def mlflow(self, username: str = "", password: str = "") -> Iterator[Login]:
        """Yield MLflow's API, as its admin unless told otherwise."""
        if not username:
            username, password = self.login("mlflow")
        with self.service("mlflow", 5000) as port:
            yield Login(f"http://127.0.0.1:{port}", username, password)

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """Yield a session with the hub, logged in with what `aistack open` printed."""
        username, password = self.login("jupyterhub")
        with self.service("jupyterhub", 8000, "proxy") as port:
            hub = Hub(f"http://127.0.0.1:{port}", username)
            hub.log_in(password)
            yield hub

    def log_run(self, experiment: str, metric: float, artifact: bytes) -> Run:
        """Log a run with an artifact through MLflow's API."""
        with self.mlflow() as mlflow:
            return log_run(mlflow, experiment, metric, artifact)

    def metric_in_postgres(self, run_id: str) -> float | None:
        """Return the run's metric as PostgreSQL has it."""
        with self.service("postgres", 5432) as port:
            return metric_in_postgres(self.binding("mlflow", "postgres"), port, run_id)

    def artifact_in_s3(self, run: Run) -> bytes | None:
        """Return the run's artifact as the bucket has it."""
        with self.service("seaweedfs", 8333) as port:
            return artifact_in_s3(self.binding("mlflow", "s3"), port, run)
