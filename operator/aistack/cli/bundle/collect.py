"""What goes into a debug bundle, step by step; a step that fails is noted, and the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, field
from typing import Any

from aistack.api.group import API_VERSION, BINDING_KIND, KIND, PIECE_KIND
from aistack.api.labels import STACK
from aistack.cli.bundle import shapes
from aistack.cli.bundle.archive import Archive
from aistack.cluster.client import Client
from aistack.cluster.records import decode
from aistack.cluster.settings import CONFIG_MAP, EVENT, POD, SECRET
from aistack.errors import AIStackError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.settings import KINDS

DEPLOYMENT, LEASE = ObjectKind("apps/v1", "Deployment"), ObjectKind("coordination.k8s.io/v1", "Lease")
OPERATOR_POD = "app.kubernetes.io/component=operator"
INVENTORY = f"{STACK}-inventory"


@dataclass(frozen=True)
class Limits:
    """How much of what is taken."""

    lines: int = 2000
    """Of each log."""
    bytes: int = 2**20
    """Of each log."""
    pods: int = 100
    """Of each namespace."""
    events: int = 1000


@dataclass(frozen=True)
class Collection:
    """One bundle in the making.

    Args:
        client: asks, as the user.
        archive: takes everything.
        namespace: of the stacks.
        stacks: their names.
        operator: the operator's namespace.
        sighted: whether the Secrets of the namespace could be read, so that their values can be taken out of texts.
        limits: how much is taken.
    """

    client: Client
    archive: Archive
    namespace: str
    stacks: tuple[str, ...]
    operator: str
    sighted: bool
    limits: Limits = field(default_factory=Limits)

    async def all(self) -> None:
        """Collect everything."""
        steps = [self.bindings, self.pieces, self.inventories, self.events, self.running_operator]
        doing = [self.attempt(step()) for step in steps]
        for stack in self.stacks:
            doing += [
                self.attempt(self.stack(stack)),
                self.attempt(self.objects(stack)),
                self.attempt(self.pods(stack)),
            ]
        await asyncio.gather(*doing)

    async def attempt(self, step: Awaitable[None]) -> None:
        """Take a step; that it can't be taken is noted."""
        try:
            await step
        except AIStackError as error:
            self.archive.note(str(error))

    async def stack(self, name: str) -> None:
        """Take an AIStack whole: status and managedFields too."""
        live = (await self.client.get(ObjectRef(API_VERSION, KIND, self.namespace, name))).result()
        self.archive.add_data(f"stacks/{name}.yaml", self._told(live))

    async def bindings(self) -> None:
        """Take the AIBindings of the namespace."""
        found = await self._list(ObjectKind(API_VERSION, BINDING_KIND), self.namespace)
        self.archive.add_data("bindings.yaml", [self._told(live) for live in found])

    async def pieces(self) -> None:
        """Take the cluster's AIComponents."""
        found = await self._list(ObjectKind(API_VERSION, PIECE_KIND), "")
        self.archive.add_data("aicomponents.yaml", [self._told(live) for live in found])

    async def objects(self, stack: str) -> None:
        """Take names, state and owners of fields of a stack's objects; of Secrets the keys."""
        await asyncio.gather(*(self.attempt(self._kind(stack, kind)) for kind in KINDS))

    async def _kind(self, stack: str, kind: ObjectKind) -> None:
        shape = shapes.secret if kind == SECRET else shapes.child
        found = await self._list(kind, self.namespace, f"{STACK}={stack}")
        self.archive.add_data(
            f"objects/{stack}/{kind.kind}.yaml", [shape({**live, "kind": kind.kind}) for live in found]
        )

    async def events(self) -> None:
        """Take the namespace's newest Events."""
        found = sorted(await self._list(EVENT, self.namespace), key=_last)[-self.limits.events :]
        told = [shapes.event(live) for live in found]
        if not self.sighted:
            told = [{**event, "message": "(left out)"} for event in told]
        self.archive.add_data("events.yaml", told)

    async def inventories(self) -> None:
        """Take what the operator remembers of the stacks: names and hashes."""
        found = await self._list(CONFIG_MAP, self.operator, f"{INVENTORY}=true")
        for live in found:
            namespace, _, name = (live["metadata"].get("annotations") or {}).get(INVENTORY, "").partition("/")
            if namespace == self.namespace and name in self.stacks:
                self.archive.add(f"inventories/{name}.json", _inventory(live))

    async def pods(self, stack: str) -> None:
        """Take state and logs of a stack's pods."""
        await self._pods(f"pods/{stack}", self.namespace, f"{STACK}={stack}", logs=self.sighted)

    async def running_operator(self) -> None:
        """Take the operator's Deployment, pods, logs and Lease."""
        deployments = await self._list(DEPLOYMENT, self.operator, OPERATOR_POD)
        leases = await self._list(LEASE, self.operator)
        self.archive.add_data(
            "operator/deployments.yaml", [shapes.child({**d, "kind": "Deployment"}) for d in deployments]
        )
        self.archive.add_data("operator/leases.yaml", [self._told(live) for live in leases])
        await self._pods("operator", self.operator, OPERATOR_POD, logs=True)

    async def _pods(self, folder: str, namespace: str, selector: str, logs: bool) -> None:
        found = await self._list(POD, namespace, selector)
        if len(found) > self.limits.pods:
            self.archive.note(f"{len(found) - self.limits.pods} pods of {len(found)} in namespace {namespace}")
        for live in found[: self.limits.pods]:
            name = live["metadata"]["name"]
            self.archive.add_data(f"{folder}/{name}/pod.yaml", shapes.pod(live))
            if logs:
                await self._logs(f"{folder}/{name}", live)

    async def _logs(self, folder: str, pod: Manifest) -> None:
        metadata, statuses = pod["metadata"], pod.get("status", {})
        ref = ObjectRef("v1", "Pod", metadata["namespace"], metadata["name"])
        for status in (*(statuses.get("initContainerStatuses") or ()), *(statuses.get("containerStatuses") or ())):
            await self.attempt(self._log(ref, f"{folder}/{status['name']}.log", container=status["name"]))
            if status.get("restartCount"):
                former = {"container": status["name"], "previous": "true"}
                await self.attempt(self._log(ref, f"{folder}/{status['name']}.previous.log", **former))

    async def _log(self, pod: ObjectRef, path: str, **query: str) -> None:
        limits = {"tailLines": str(self.limits.lines), "limitBytes": str(self.limits.bytes)}
        self.archive.add(path, await self.client.log(pod, timestamps="true", **limits, **query))

    async def _list(self, kind: ObjectKind, namespace: str, labels: str = "") -> list[Manifest]:
        query = {"labelSelector": labels} if labels else {}
        items: list[Manifest] = (await self.client.list(kind, namespace, metadata=False, **query)).result()["items"]
        return items or []

    def _told(self, live: Manifest) -> Manifest:
        """Return an object; without the texts of annotations where nobody knows what in them is secret."""
        if self.sighted or not live["metadata"].get("annotations"):
            return live
        notes = dict.fromkeys(live["metadata"]["annotations"], "(left out)")
        return {**live, "metadata": {**live["metadata"], "annotations": notes}}


def _last(event: Manifest) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def _inventory(live: Manifest) -> str:
    """Return an inventory as it is read, or why it can't be."""
    import orjson

    try:
        records = decode(live)
    except ValueError as error:
        return f"{error}\n"
    told: dict[str, Any] = {str(ref): asdict(record) for ref, record in sorted(records.items())}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()
