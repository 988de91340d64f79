"""A cluster that Flux looks after with the examples as they ship, and the repositories that it reads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chart.generated import BASE
from tests.flux.controllers import Flux
from tests.flux.repository import Repository, git_server
from tests.journey.kube import Kube, eventually

GITOPS = BASE.parents[1] / "examples" / "gitops"
HOST = "https://git.example.com"
OPERATOR, STACKS = "aistack-operator", "stacks"
"""The Kustomizations."""
NAME = "production"
FILE = "production/stack.yaml"
SOON = 60
"""Seconds until Flux must have told; the Kustomization itself would wait 20 min."""


@dataclass(frozen=True)
class Fleet:
    """The platform team's view: Git on one side, the cluster on the other.

    Args:
        kube: the cluster.
        flux: its controllers.
        stacks: the repository of stacks.
        base: the repository with the operator's kustomize base.
        changed: what is put otherwise in the examples.
        namespace: of the stack.
    """

    kube: Kube
    flux: Flux
    stacks: Repository
    base: Repository
    changed: Mapping[str, str]
    namespace: str

    def example(self, name: str) -> str:
        """Return an example, changed as little as this place asks for."""
        text = (GITOPS / name).read_text("utf-8")
        for old, new in self.changed.items():
            text = text.replace(old, new)
        return text

    def apply_example(self, name: str) -> None:
        """Apply one of Flux's examples."""
        self.kube.run("apply", "--server-side", "-f", "-", stdin=self.example(f"flux/{name}"))

    def install(self) -> None:
        """Do what a platform team does, in the wrong order: the stacks, which have to wait, and then the operator."""
        self.stacks.push({FILE: self.stack, "production/README.md": "Keeps the folder where no stack is left.\n"})
        self.apply_example("stacks.yaml")
        eventually(lambda: self.flux.ready(STACKS)[1] == "DependencyNotReady", seconds=SOON)
        self.base.push({f"charts/kustomize/{path.name}": path.read_text("utf-8") for path in BASE.iterdir()})
        self.apply_example("operator.yaml")

    @property
    def stack(self) -> str:
        """The stack, as it is in Git unless a test changes it."""
        return self.example("stack.yaml")

    @property
    def entry(self) -> str:
        """The stack, as Flux calls it."""
        return f"AIStack/{self.namespace}/{NAME}"

    def push(self, text: str | None) -> str:
        """Change the stack in Git, or take it out; returns the revision, once Flux has seen it."""
        revision = self.stacks.push({FILE: text})
        self.flux.fetch(STACKS, revision)
        return revision

    def follow(self, revision: str, seconds: float = 180) -> None:
        """Wait until Flux is content with a revision."""
        wanted = ("True", f"Applied revision: {revision}")
        eventually(lambda: self.flux.ready(STACKS)[::2] == wanted, seconds=seconds)

    def healthy(self) -> str:
        """Have the stack in Git and Ready at that revision, whatever was before."""
        revision = self.push(self.stack)
        self.follow(revision)
        return revision

    def live(self) -> dict[str, Any]:
        """The AIStack, to the last field."""
        return dict(self.kube.json("-n", self.namespace, "get", "aistack", NAME, "--show-managed-fields"))

    def condition(self, kind: str) -> dict[str, str]:
        """One of its conditions."""
        return next(c for c in self.live()["status"]["conditions"] if c["type"] == kind)

    def absent(self) -> bool:
        """Whether it is gone."""
        return not self.kube.json("-n", self.namespace, "get", "aistacks")["items"]

    def versions(self, kinds: str) -> dict[str, str]:
        """The version of each object of these kinds that the stack has."""
        items = self.kube.json("-n", self.namespace, "get", kinds, "-l", f"aistack.dev/stack={NAME}")["items"]
        return {f"{i['kind']}/{i['metadata']['name']}": i["metadata"]["resourceVersion"] for i in items}

    def owned(self, kinds: str) -> set[str]:
        """Uids of the objects of these kinds in the stack's namespace."""
        return {i["metadata"]["uid"] for i in self.kube.json("-n", self.namespace, "get", kinds)["items"]}

    def assert_refused(self, text: str, message: str) -> None:
        """Push a stack that the operator can't make, and see the failure told soon and nothing that runs touched."""
        kinds = "deployments,services,secrets,configmaps"
        running, started = self.versions(kinds), time.monotonic()
        self.push(text)
        eventually(lambda: self.flux.ready(STACKS)[1] == "HealthCheckFailed", seconds=SOON)
        told = self.flux.ready(STACKS)[2]
        print(f"told after {time.monotonic() - started:.1f} s: {told}")
        assert f"failed early due to stalled resources: [{self.entry} status: 'Failed']" in told
        assert self.condition("Stalled")["status"] == "True"
        assert self.condition("Ready")["message"].startswith(message)
        assert self.versions(kinds) == running


@contextmanager
def fleet(kube: Kube, folder: Path, changed: Mapping[str, str], namespace: str = "ml") -> Iterator[Fleet]:
    """Run Flux beside a cluster, over repositories that are still empty.

    Args:
        kube: the cluster.
        folder: for all files.
        changed: what to put otherwise in the examples, besides Git's address.
        namespace: where the stack is then.
    """
    stacks, base = (Repository.create(folder, f"platform/{name}") for name in ("stacks", "aistack"))
    with git_server(folder / "git") as url, Flux(kube, folder).running() as flux:
        yield Fleet(kube, flux, stacks, base, {HOST: url, **changed}, namespace)
