"""What the tests of the engine work with: an owner in a namespace, small plans, and the hand of the missing kubelet."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.settings import Settings
from aistack.cluster.transport import Call
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef, ref_of
from aistack.objects.outcome import DeletionProgress, Outcome, UnitOutcome
from aistack.objects.plan import ApplyObject, CreateSecret, Owner, Plan, RunAction, Strategy, Unit
from aistack.objects.recipes import Generate, Recipe
from aistack.settings import engine_settings
from tests.cluster.controlplane import ControlPlane

MANAGER = "aistack"
STACK = "aistack.dev/stack"
UNIT = "aistack.dev/component"
RETAINED = "aistack.dev/retained-from"
SPAWNED = "aistack.dev/spawned"
SETTINGS = replace(engine_settings(), retry_base=0.2, watch_backoff_limit=0.5)
WRITES = frozenset({"create", "apply", "update", "patch", "delete"})
PATIENCE = 60.0
_serial = itertools.count(1)


JOB_NAME = "batch.kubernetes.io/job-name"


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the engine may catch it."""


@dataclass
class Lab:
    """One owner in a namespace of its own."""

    cluster: ControlPlane
    client: Client
    namespace: str = field(default_factory=lambda: f"lab-{next(_serial)}")
    name: str = "demo"
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.client.hooks.append(self.count)

    def count(self, call: Call) -> None:
        """Take note of a request that was answered."""
        if call.status:
            self.calls[call.verb, call.kind] += 1

    @property
    def owner(self) -> Owner:
        """The owner of everything here."""
        return Owner(self.namespace, self.name, f"uid-of-{self.name}", {STACK: self.name})

    @property
    def system(self) -> str:
        """The operator's own namespace: one for each lab, so that no engine looks after another lab's owner."""
        return f"{self.namespace}-system"

    @property
    def settings(self) -> Settings:
        """Settings of this lab's engines."""
        return replace(SETTINGS, namespace=self.system)

    def writes(self) -> int:
        """Number of requests that write, since the counter was last cleared."""
        return sum(count for (verb, _), count in self.calls.items() if verb in WRITES)

    async def make_namespace(self) -> None:
        """Create the namespace, and the operator's own."""
        for name in (self.namespace, self.system):
            await self.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    @asynccontextmanager
    async def engine(self, client: Client | None = None, **changes: Any) -> AsyncIterator[Engine]:
        """A fresh engine, as after a restart of the operator."""
        async with Engine(client or self.client, replace(self.settings, **changes)) as engine:
            await engine.start()
            self.calls.clear()
            yield engine

    async def settle(self, engine: Engine, plan: Plan, pods: bool = True) -> Outcome:
        """Repeat passes, as watches would trigger them, until nothing is left to do."""
        outcome = Outcome()

        async def settled() -> bool:
            nonlocal outcome
            outcome = await engine.apply(plan, self.owner)
            if pods:
                await self.play_kubelet()
            return outcome.settled

        await eventually(settled, lambda: str(outcome))
        return outcome

    async def remove(self, engine: Engine, retain: bool) -> DeletionProgress:
        """Repeat deletion passes until all is gone."""
        progress = DeletionProgress()

        async def gone() -> bool:
            nonlocal progress
            progress = await engine.delete(self.owner, retain)
            return progress.done

        await eventually(gone, lambda: str(progress))
        return progress

    # ------------------------------------------------------------------ looking and meddling

    async def get(self, kind: ObjectKind, name: str, namespace: str | None = None) -> Manifest | None:
        """Read an object as somebody else would."""
        where = self.namespace if namespace is None else namespace
        reply = await self.client.get(ObjectRef(kind.api_version, kind.kind, where, name))
        return None if reply.status == 404 else reply.result()

    async def names(self, kind: ObjectKind) -> set[str]:
        """Names of all objects of a kind in the namespace."""
        items = (await self.client.list(kind, self.namespace)).result()["items"]
        return {item["metadata"]["name"] for item in items}

    async def versions(self, *kinds: ObjectKind) -> dict[str, str]:
        """The resourceVersion of every object of these kinds: unchanged means that nothing was written."""
        found = {}
        for kind in kinds:
            for item in (await self.client.list(kind, self.namespace)).result()["items"]:
                found[f"{kind}/{item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
        found.pop(f"{CONFIG}/kube-root-ca.crt", None)  # the controller manager's, which comes when it likes
        return found

    async def define(self, *versions: ObjectKind) -> ObjectRef:
        """Add a kind to the cluster, in some versions; return its CustomResourceDefinition."""
        kind = versions[-1]
        group = kind.api_version.split("/")[0]
        plural = kind.kind.lower() + "s"
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        spec = {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind.kind, "plural": plural},
            "versions": [
                {"name": v.api_version.split("/")[1], "served": True, "storage": v == kind, "schema": schema}
                for v in versions
            ],
        }
        crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
        made = (await self.client.create({**crd, "metadata": {"name": f"{plural}.{group}"}})).result()

        async def served() -> bool:
            try:
                return (await self.client.list(kind)).ok
            except ClusterError:
                return False

        await eventually(served, lambda: f"{kind} isn't served")
        return ref_of(made)

    async def stranger(self) -> Client:
        """A client that writes under another manager's name."""
        return await Client.connect("stranger", str(self.cluster.kubeconfig))

    async def play_kubelet(self) -> None:
        """Do what the missing kubelet would: report every pod of a workload as running and ready.

        Deployments, StatefulSets and Jobs are then judged by the real controllers. Pods of Jobs are left alone.
        """
        for pod in (await self.client.list(POD, self.namespace)).result()["items"]:
            if pod["status"].get("phase") == "Pending" and JOB_NAME not in pod["metadata"]["labels"]:
                conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady")]
                await self.report(pod["metadata"]["name"], {"phase": "Running", "conditions": conditions})

    async def end_job(self, name: str, exit_code: int = 0, message: str = "", sidecar: bool = False) -> None:
        """Do what the missing kubelet would: let the Job's newest pod end; beside a sidecar its container alone."""

        async def ended() -> bool:
            pods = await self.pods_of(name)
            for pod in pods:
                end = {"terminated": {"exitCode": exit_code, "message": message}}
                container = {"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": end}
                phase = "Running" if sidecar else "Failed" if exit_code else "Succeeded"
                await self.report(pod, {"phase": phase, "containerStatuses": [container]})
            return bool(pods)

        await eventually(ended, lambda: f"no pod of Job {name} to end")

    async def pods_of(self, job: str) -> list[str]:
        """Names of the Job's pods that haven't ended."""
        selector = f"{JOB_NAME}={job}"
        pods = (await self.client.list(POD, self.namespace, labelSelector=selector)).result()["items"]
        return [pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") == "Pending"]

    async def report(self, pod: str, status: Mapping[str, Any]) -> None:
        """Write a pod's status, as its kubelet would; a pod that went in the meantime needs none."""
        ref = ObjectRef("v1", "Pod", self.namespace, pod)
        reply = await self.client.merge(ref, {"status": dict(status)}, "status")
        if reply.status != 404:
            reply.result()

    # ------------------------------------------------------------------ steps

    def meta(self, name: str, unit: str) -> Manifest:
        """Metadata as planning makes it."""
        return {"name": name, "namespace": self.namespace, "labels": {**self.owner.labels, UNIT: unit}}

    def config(self, name: str, unit: str = "a", **data: str) -> ApplyObject:
        """A ConfigMap."""
        return ApplyObject({"apiVersion": "v1", "kind": "ConfigMap", "metadata": self.meta(name, unit), "data": data})

    def secret(self, base: str, recipes: Mapping[str, Recipe], generation: int = 1, unit: str = "a") -> CreateSecret:
        """A generated Secret."""
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": self.meta(f"{base}-{generation}", unit)}
        return CreateSecret(base, generation, manifest, recipes)

    def volume(self, name: str, unit: str = "a") -> ApplyObject:
        """A PersistentVolumeClaim, kept when the policy says so."""
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        return ApplyObject({**kind, "metadata": self.meta(name, unit), "spec": spec}, retain=True)

    def everything(self, **data: str) -> Unit:
        """A unit with a ConfigMap, a Secret and a workload."""
        prepare = (self.config("c", **data), self.secret("s", {"p": Generate(8)}))
        return Unit("a", prepare=prepare, run=(self.workload("w"),))

    def workload(
        self,
        name: str,
        unit: str = "a",
        kind: str = "Deployment",
        app: str = "",
        image: str = "one",
        strategy: Strategy = Strategy.APPLY,
    ) -> ApplyObject:
        """A Deployment or StatefulSet of one pod."""
        labels = {"app": app or name}
        spec: Manifest = {"replicas": 1, "selector": {"matchLabels": labels}, "template": self.pod(labels, unit, image)}
        if kind == "StatefulSet":
            spec["serviceName"] = name
        manifest = {"apiVersion": "apps/v1", "kind": kind, "metadata": self.meta(name, unit), "spec": spec}
        return ApplyObject(manifest, strategy)

    def action(
        self, key: str, name: str, unit: str = "a", after: tuple[str, ...] = (), blocking: bool = True
    ) -> RunAction:
        """A Job that runs once."""
        template = self.pod({}, unit, "claim")
        template["spec"]["restartPolicy"] = "Never"
        spec = {"backoffLimit": 0, "template": template}
        manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": self.meta(name, unit), "spec": spec}
        return RunAction(key, manifest, after, blocking)

    def pod(self, labels: Mapping[str, str], unit: str, image: str) -> Manifest:
        """A pod template."""
        metadata = {"labels": {**labels, **self.owner.labels, UNIT: unit}}
        return {"metadata": metadata, "spec": {"containers": [{"name": "c", "image": f"registry.example/{image}:1"}]}}


POD = ObjectKind("v1", "Pod")
CONFIG = ObjectKind("v1", "ConfigMap")
SECRET = ObjectKind("v1", "Secret")
VOLUME = ObjectKind("v1", "PersistentVolumeClaim")
DEPLOYMENT = ObjectKind("apps/v1", "Deployment")
STATEFUL_SET = ObjectKind("apps/v1", "StatefulSet")
JOB = ObjectKind("batch/v1", "Job")


def plan_of(*units: Unit, **settings: Any) -> Plan:
    """A plan with one wave for each unit."""
    return Plan(tuple((unit,) for unit in units), **settings)


def only(outcome: Outcome) -> UnitOutcome:
    """The outcome of the only unit."""
    (unit,) = outcome.units.values()
    return unit


async def eventually(condition: Callable[[], Any], why: Callable[[], str] = lambda: "") -> None:
    """Wait until an asynchronous condition holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not await condition():
        assert loop.time() < end, f"not within {PATIENCE} s: {why()}"
        await asyncio.sleep(0.05)


async def limit(lab: Lab, count: int, what: str = "count/configmaps") -> ObjectRef:
    """Set a quota named q, or raise it, and wait until the server enforces it.

    One ConfigMap is the cluster's own: it comes a moment after the namespace, and is counted.
    """
    await eventually(lambda: lab.get(CONFIG, "kube-root-ca.crt"))
    ref, hard = ObjectRef("v1", "ResourceQuota", lab.namespace, "q"), {what: str(count)}
    metadata = {"name": ref.name, "namespace": ref.namespace}
    quota = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, "spec": {"hard": hard}}
    (await lab.client.apply(quota, force=True)).result()

    async def counted() -> bool:
        live = await lab.get(ref.object_kind, ref.name)
        status = live.get("status", {}) if live else {}
        return bool(status.get("hard") == hard and status.get("used"))

    await eventually(counted)
    return ref
