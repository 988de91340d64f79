"""A cluster with an operator whose registry can lie, and what authors, administrators and teams do there."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aistack.api.group import API_VERSION
from aistack.controller.rbac import rules
from aistack.controller.rights import Scope
from aistack.objects.artifact import parse_reference
from aistack.pieces.artifact import to_artifact
from aistack.pieces.rights import AGGREGATED
from aistack.sources.oci import Artifact, push
from tests.cluster.common.daemons import Daemon
from tests.hello import write_hello
from tests.journey.kube import Kube, eventually
from tests.journey.operator import start_operator
from tests.registry import FakeRegistry
from tests.roles import catalog_rights
from tests.toy import TOY

ROOT = Path(__file__).parents[3]
SYSTEM, NAMESPACE, USER = "aistack-system", "team", "operator"
KINDS = ("Service", "apps/Deployment")
RBAC = "rbac.authorization.k8s.io/v1"
SOON = 20.0
"""Seconds for what takes one or two: the machine may be busy."""


@dataclass
class World:
    """A cluster with an operator, and a registry that can lie."""

    kube: Kube
    registry: FakeRegistry
    operator: Daemon
    login: Path
    scratch: Path
    number: int = field(default=0)

    def start(self) -> None:
        """Start the operator with the rights that the chart would give it."""
        start_operator(self.operator, self.login, "--namespace", SYSTEM, "--catalog", str(TOY))

    # ------------------------------------------------------------------ what an author does

    def folder(self, name: str, contract: str = "", **changed: str) -> Path:
        """Write a component's folder."""
        self.number += 1
        return write_hello(self.scratch / str(self.number), contract, name, **changed)

    def push(self, folder: Path | Artifact, name: str = "piece") -> str:
        """Push a folder, and return its pinned reference."""
        artifact = folder if isinstance(folder, Artifact) else to_artifact(folder)
        reference = parse_reference(self.registry.reference(f"{name}:1"))
        return str(reference.pinned(asyncio.run(push(reference, artifact))))

    # ------------------------------------------------------------------ what an administrator does

    def install(self, name: str, artifact: str, kinds: tuple[str, ...] = KINDS, **spec: Any) -> None:
        """Make or change an AIComponent."""
        asked = {"artifact": artifact, "kinds": list(kinds), **spec}
        self.kube.apply({"apiVersion": API_VERSION, "kind": "AIComponent", "metadata": {"name": name}, "spec": asked})

    def piece(self, name: str) -> dict[str, Any]:
        """Return an AIComponent."""
        return dict(self.kube.json("get", "aicomponent", name))

    def said(self, name: str, condition: str = "Ready") -> tuple[str, str, str]:
        """Return a condition of an AIComponent of this generation: status, reason, message."""
        live = self.piece(name)
        status = live.get("status", {})
        assert status.get("observedGeneration") == live["metadata"]["generation"], status
        found = next(c for c in status["conditions"] if c["type"] == condition)
        return found["status"], found["reason"], found["message"]

    def ready(self, name: str) -> float:
        """Wait until an AIComponent can be used, and return the seconds."""
        started = time.monotonic()
        eventually(lambda: self._can_be_used(name), SOON, pause=0.1)
        return time.monotonic() - started

    def _can_be_used(self, name: str) -> bool:
        said = self.said(name)
        assert said[0] == "True", said
        return True

    def refused(self, name: str, told: str, reason: str, condition: str = "Stalled", seconds: float = SOON) -> str:
        """Wait until an AIComponent is refused."""
        eventually(lambda: told in self.said(name)[2], seconds, pause=0.1)
        assert self.said(name)[:2] == ("False", reason)
        assert self.said(name, condition)[0] == "True"
        return self.said(name)[2]

    def remove(self, *names: str) -> None:
        """Delete AIComponents, and wait until they are gone."""
        self.kube.run("delete", "aicomponent", *names, "--timeout=30s")

    # ------------------------------------------------------------------ what a team does

    def stack(self, name: str, *components: str, **spec: Any) -> None:
        """Make or change a stack."""
        asked = {"components": [{"name": component} for component in components], **spec}
        metadata = {"name": name, "namespace": NAMESPACE}
        self.kube.apply({"apiVersion": API_VERSION, "kind": "AIStack", "metadata": metadata, "spec": asked})

    def stack_status(self, name: str) -> dict[str, Any]:
        """Return a stack's status."""
        return dict(self.kube.json("-n", NAMESPACE, "get", "aistack", name).get("status", {}))

    def tells(self, name: str, message: str) -> None:
        """Wait until a stack's status says something."""
        eventually(lambda: message in self.stack_status(name).get("message", ""), SOON)

    def runs(self, name: str, kind: str = "deployment") -> dict[str, Any]:
        """Wait for an object of a stack."""
        return dict(eventually(lambda: self.kube.json("-n", NAMESPACE, "get", kind, name), SOON, pause=0.1))

    def end(self, *stacks: str) -> None:
        """Delete stacks, and wait until they are gone."""
        self.kube.run("-n", NAMESPACE, "delete", "aistack", *stacks, "--timeout=60s")


def grant(kube: Kube) -> None:
    """Give the operator what the chart gives it, and what is labelled for it."""
    role: dict[str, Any] = {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": "operator"}}
    kube.apply({**role, "rules": rules(catalog_rights(), [Scope.SERVED, Scope.CLUSTER, Scope.OWN])})
    selector = {"clusterRoleSelectors": [{"matchLabels": {AGGREGATED: "true"}}]}
    kube.apply({**role, "metadata": {"name": "operator-granted"}, "aggregationRule": selector})
    for name in ("operator", "operator-granted"):
        kube.run("create", "clusterrolebinding", name, f"--clusterrole={name}", f"--user={USER}")


def with_template(folder: Path, name: str, text: str) -> Path:
    """Add a template to a component's folder."""
    (folder / "components" / name / "templates" / "more.yaml.j2").write_text(text)
    return folder
