"""A starter stack in a cluster, and what its user and two witnesses say about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aistack.settings import OPERATOR_NAMESPACE
from tests.journey.hub import Hub
from tests.journey.kube import Kube, eventually
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

    def assert_a_pass_writes_nothing(self) -> None:
        """Have the operator make a whole pass over the stack as it is, and see that it left every object alone.

        Naming a component that the profile has anyway is a new generation of the AIStack and asks for nothing new.
        """
        self.aistack("wait", self.name, "--for", "proven", "--timeout", "180")
        eventually(self._jobs_have_ended, seconds=30)
        before = self._versions()
        patch = json.dumps({"spec": {"components": [{"name": "postgres"}]}})
        self.kube.run("-n", self.namespace, "patch", "aistack", self.name, "--type=merge", "-p", patch)
        generation = self.live()["metadata"]["generation"]
        eventually(lambda: self.live()["status"]["observedGeneration"] == generation, seconds=30)
        assert self.condition("Ready")["status"] == "True"
        settled = self.live()["metadata"]["resourceVersion"]
        time.sleep(3)
        assert self._versions() == before
        assert self.live()["metadata"]["resourceVersion"] == settled

    def _jobs_have_ended(self) -> bool:
        """Whether Kubernetes, too, has taken note of the end of every Job; it does so some seconds after the pod's."""
        jobs = self.kube.json("-n", self.namespace, "get", "jobs", "-l", f"aistack.dev/stack={self.name}")["items"]
        return all({"Complete", "Failed"} & {c["type"] for c in j["status"].get("conditions", [])} for j in jobs)

    def _versions(self) -> dict[str, str]:
        """The versions of everything that the operator writes for this stack, its inventory included."""
        kinds = (
            "deployments,statefulsets,services,configmaps,secrets,jobs,networkpolicies,persistentvolumeclaims,"
            "serviceaccounts,roles,rolebindings"
        )
        own = self.kube.json("-n", self.namespace, "get", kinds, "-l", f"aistack.dev/stack={self.name}")["items"]
        assert len(own) > 20
        kept = self.kube.json("-n", OPERATOR_NAMESPACE, "get", "configmaps")["items"]
        kept = [item for item in kept if item["metadata"]["name"].endswith(f"{self.namespace}.{self.name}")]
        assert len(kept) == 1
        return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"] for o in own + kept}

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
        share = self.binding("mlflow", "s3")
        store = self.edge("mlflow", "s3")["to"]
        with self.service(store, int(share["port"])) as port:
            return artifact_in_s3(share, port, run)

    def edge(self, consumer: str, contract: str) -> dict[str, Any]:
        """Return what the status says of one connection."""
        edges: list[dict[str, Any]] = self.live()["status"]["edges"]
        return next(e for e in edges if (e["from"], e["contract"]) == (consumer, contract))
