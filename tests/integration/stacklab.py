"""An AIStack of the toy catalog on the real API server, reconciled pass by pass.

There is no kubelet: :meth:`StackLab.play` reports pods as running and Jobs' pods as done in its place. All else is
real: the API server, server-side apply, the controllers that make Deployments' and Jobs' pods, RBAC.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from aistack.api.crd import DEFINITIONS, crd_manifest
from aistack.api.group import API_VERSION, FIELD_MANAGER, KIND
from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.shelf import Shelf
from aistack.controller.options import AS_ITSELF
from aistack.errors import ClusterError, NotReadyError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef, ref_of
from aistack.pipeline import Pipeline, always
from aistack.planning.accounts import Accounts
from aistack.settings import engine_settings
from aistack.sharing import BINDING, Sharing
from tests.cluster.controlplane import ControlPlane
from tests.integration.cluster.lab import JOB_NAME, POD, WRITES, Lab
from tests.toy import toy

STACKS = ObjectKind(API_VERSION, KIND)
KINDS = (
    ObjectKind("v1", "ConfigMap"),
    ObjectKind("v1", "PersistentVolumeClaim"),
    ObjectKind("v1", "Secret"),
    ObjectKind("v1", "Service"),
    ObjectKind("apps/v1", "Deployment"),
    ObjectKind("networking.k8s.io/v1", "NetworkPolicy"),
)
"""Every kind that the toy makes, but Jobs."""
PATIENCE = 120.0
"""Seconds: on a busy machine the garbage collector alone may take a minute over a foreground deletion."""
_serial = itertools.count(1)


@dataclass
class StackLab:
    """One namespace with one stack; ``pipeline`` reconciles it as the operator does."""

    cluster: ControlPlane
    client: Client
    namespace: str = field(default_factory=lambda: f"stack-{next(_serial)}")
    name: str = "demo"
    faults: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What proofs say of edges that are broken, by the edge's name: class and message."""
    sidecar: bool = False
    """Whether a service mesh adds a container to each pod, which goes on when the Job's own has ended."""
    proofs: Counter[str] = field(default_factory=Counter)
    """How many runs each proof had, by its identity."""

    def __post_init__(self) -> None:
        self.lab = Lab(self.cluster, self.client, self.namespace, self.name)

    @property
    def system(self) -> str:
        """The operator's namespace in this test."""
        return f"{self.namespace}-system"

    @property
    def calls(self) -> Counter[tuple[str, str]]:
        """Requests by verb and kind since it was last cleared."""
        return self.lab.calls

    def writes(self) -> dict[str, int]:
        """Requests that write, by verb and kind, since the counter was last cleared."""
        return {f"{verb} {kind}": n for (verb, kind), n in self.calls.items() if verb in WRITES}

    async def prepare(self) -> None:
        """Make the namespaces and the AIStack kind."""
        for definition in DEFINITIONS:
            await self.client.apply(crd_manifest(definition), force=True)
        for name in (self.namespace, self.system):
            await self.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        await self.eventually(self._served, lambda served: served)

    async def _served(self) -> bool:
        try:
            return (await self.client.list(STACKS)).ok
        except ClusterError:
            return False

    @asynccontextmanager
    async def operator(
        self,
        catalog: Catalog | None = None,
        client: Client | None = None,
        clock: Callable[[], float] = time.time,
        served: Iterable[str] = (),
        accounts: Accounts = AS_ITSELF,
    ) -> AsyncIterator[Pipeline]:
        """A fresh operator, as after a restart.

        ``served`` are the namespaces that it looks at, if not all; ``accounts`` as whom it makes stacks' objects.
        """
        settings = engine_settings(self.system, served)
        async with Engine(client or self.client, settings, clock=clock) as engine:
            await engine.start()
            shelf = Shelf(client or self.client, settings, BINDING)
            try:
                sharing = Sharing(client or self.client, shelf)
                yield Pipeline(client or self.client, engine, always(catalog or toy()), sharing, accounts.of)
            finally:
                await shelf.stop()

    # ------------------------------------------------------------------ the user

    def manifest(self, spec: str | Mapping[str, Any]) -> Manifest:
        """The AIStack with this spec."""
        data = yaml.safe_load(spec) if isinstance(spec, str) else dict(spec)
        metadata = {"name": self.name, "namespace": self.namespace}
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": data}

    async def create(self, spec: str) -> None:
        """Create the stack."""
        (await self.client.create(self.manifest(spec))).result()

    async def change(self, spec: str) -> None:
        """Replace the stack's spec."""
        live = await self.live()
        (await self.client.replace({**live, "spec": yaml.safe_load(spec)})).result()

    async def delete(self) -> None:
        """Ask for the stack's deletion."""
        live = await self.live()
        (await self.client.delete(ref_of(live), live["metadata"]["uid"])).result()

    async def live(self) -> Manifest:
        """The stack as the API server has it."""
        return (await self.client.get(ObjectRef(API_VERSION, KIND, self.namespace, self.name))).result()

    async def gone(self) -> bool:
        """Whether the stack is gone for good."""
        return (await self.client.get(ObjectRef(API_VERSION, KIND, self.namespace, self.name))).status == 404

    async def get(self, kind: str, name: str) -> Manifest | None:
        """One object of the stack."""
        return await self.lab.get(next(k for k in KINDS if k.kind == kind), name)

    async def must(self, kind: str, name: str) -> Manifest:
        """One object of the stack that must be there."""
        found = await self.get(kind, name)
        assert found is not None, f"{kind} {name} doesn't exist"
        return found

    async def versions(self) -> dict[str, str]:
        """The resourceVersion of every object that the stack may have made."""
        return await self.lab.versions(*KINDS)

    # ------------------------------------------------------------------ the operator

    async def reconcile(self, pipeline: Pipeline) -> Manifest:
        """One pass; what isn't ready yet comes again, as the queue would have it."""
        try:
            live, _ = await pipeline.reconcile(await self.live())
        except NotReadyError:
            live = await self.live()
        return live

    async def converge(self, pipeline: Pipeline) -> Manifest:
        """Reconcile until the stack says that it is ready, and proven unless its proofs are off."""

        def settled(live: Manifest) -> bool:
            off = live["spec"].get("proofs", {}).get("every") == "off"
            return all(condition(live, kind)["status"] == "True" for kind in ("Ready", *(() if off else ("Proven",))))

        return await self.until(pipeline, settled)

    async def prove(self, pipeline: Pipeline) -> Manifest:
        """Reconcile until the stack says that it is proven."""
        return await self.until(pipeline, lambda live: condition(live, "Proven")["status"] == "True")

    async def until(self, pipeline: Pipeline, holds: Callable[[Manifest], bool]) -> Manifest:
        """Reconcile until something is so of the stack."""

        async def step() -> Manifest:
            await self.reconcile(pipeline)
            await self.play()
            return await self.live()

        return await self.eventually(step, holds)

    async def settle(self, pipeline: Pipeline, message: str) -> Manifest:
        """Reconcile until the status has something in its message."""
        return await self.until(pipeline, lambda live: message in live["status"].get("message", ""))

    async def vanish(self, pipeline: Pipeline) -> None:
        """Reconcile until the stack is gone."""

        async def step() -> str:
            if await self.gone():
                return ""
            return str((await self.reconcile(pipeline))["status"]["message"])

        await self.eventually(step, lambda message: not message)

    async def play(self) -> None:
        """Stand in for the kubelet: pods of workloads run, pods of Jobs have done their work."""
        await self.lab.play_kubelet()
        for pod in (await self.client.list(POD, self.namespace)).result()["items"]:
            if pod["status"].get("phase") == "Pending" and JOB_NAME in pod["metadata"]["labels"]:
                await self.lab.report(pod["metadata"]["name"], self._end_of(pod))

    def _end_of(self, pod: Manifest) -> Manifest:
        """The end of a Job's pod: done, and for a proof what it said of each edge."""
        container = pod["spec"]["containers"][0]
        if container["name"] != "prove":
            done = self._ended(container["name"], {"exitCode": 0, "finishedAt": pod["metadata"]["creationTimestamp"]})
            return done if self.sidecar else {"phase": "Succeeded"}
        edges = [argument.partition("=")[0] for argument in container["command"] if "=" in argument]
        said = {edge: [{"name": "work", "ok": True, "ms": 5}] for edge in edges if edge not in self.faults}
        for edge in set(edges) & self.faults.keys():
            kind, message = self.faults[edge]
            said[edge] = [{"name": "work", "ok": False, "ms": 5, "class": kind, "message": message}]
        failed = bool(set(edges) & self.faults.keys())
        ended = {
            "exitCode": int(failed),
            "message": json.dumps(said),
            "finishedAt": pod["metadata"]["creationTimestamp"],
        }
        self.proofs[container_key(pod)] += 1
        return self._ended("prove", ended)

    def _ended(self, name: str, end: Manifest) -> Manifest:
        """The status of a pod whose container ended; with a sidecar the pod goes on."""
        common = {"image": "x", "imageID": "", "ready": False, "restartCount": 0}
        statuses = [{**common, "name": name, "state": {"terminated": end}}]
        if self.sidecar:
            going = {**common, "name": "proxy", "state": {"running": {"startedAt": end["finishedAt"]}}}
            return {"phase": "Running", "containerStatuses": [going, *statuses]}
        return {"phase": "Failed" if end["exitCode"] else "Succeeded", "containerStatuses": statuses}

    async def eventually(self, step: Any, holds: Any) -> Any:
        """Repeat a step until its result holds; returns the result."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while not holds(result := await step()):
            assert loop.time() < end, f"not within {PATIENCE} s: {result}"
            await asyncio.sleep(0.05)
        return result


@asynccontextmanager
async def stack_lab(cluster: ControlPlane) -> AsyncIterator[StackLab]:
    """A lab of its own for one test."""
    async with await Client.connect(FIELD_MANAGER, str(cluster.kubeconfig)) as client:
        lab = StackLab(cluster, client)
        await lab.prepare()
        yield lab


def condition(live: Manifest, kind: str) -> dict[str, Any]:
    """One of a stack's conditions; an unknown one where it isn't there."""
    unknown = {"status": "Unknown", "reason": "", "message": ""}
    return next((c for c in live.get("status", {}).get("conditions", []) if c["type"] == kind), unknown)


def container_key(pod: Manifest) -> str:
    """The identity that a proof's pod has."""
    return str(pod["metadata"]["labels"]["aistack.dev/identity"])


def edges(live: Manifest) -> dict[str, dict[str, Any]]:
    """A stack's edges by ``consumer/contract``."""
    return {f"{e['from']}/{e['contract']}": e for e in live.get("status", {}).get("edges", [])}


def said(live: Manifest) -> tuple[str, str, str]:
    """Status of Ready and of Stalled, and the reason."""
    return condition(live, "Ready")["status"], condition(live, "Stalled")["status"], condition(live, "Ready")["reason"]
