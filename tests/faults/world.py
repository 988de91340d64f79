"""Faults of the world, not of one call: done for real at one call, and mended for real a while later."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aistack.api.crd import STACKS, crd_manifest
from aistack.api.group import VERSION
from aistack.cluster.client import Client
from aistack.cluster.records import PLAIN
from aistack.controller.rbac import rules
from aistack.controller.rights import Scope
from aistack.objects.manifest import Manifest, ObjectRef
from tests.faults.calls import Call, Point
from tests.faults.courses import CHANGING, CREATE, DELETING
from tests.faults.life import FIRST, Life, same_secrets
from tests.faults.matrix import Expected, Failure, Report, define, new_life, without_faults
from tests.faults.process import SKEWS
from tests.faults.proxy import Armed, connected
from tests.faults.stage import BrokenError, Plane
from tests.roles import catalog_rights

RBAC = "rbac.authorization.k8s.io/v1"
UIDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DEFINITION = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", STACKS.name)
NEWER = "v1beta9"
Spoil = Callable[[Life, ObjectRef, Manifest], Awaitable[None]]
"""Spoils an inventory: which, and what it was before the last change."""
LASTS = 4.0
"""Seconds until it is mended."""
POINTS = (
    Point(Call("patch", "aistacks", "demo")),
    Point(Call("create", "configmaps", "inventory.NAMESPACE.demo")),
    Point(Call("create", "secrets", "demo-web-sql-1")),
    Point(Call("apply", "deployments", "demo-db")),
    Point(Call("update", "configmaps", "inventory.NAMESPACE.demo"), 2),
    Point(Call("patch", "aistacks/status", "demo"), 3),
)
"""Calls of a creation at which the world breaks."""


@dataclass(frozen=True)
class Trouble:
    """Something of the world that breaks, and is mended."""

    name: str
    happen: Callable[[Life], Awaitable[None]]
    mend: Callable[[Life], Awaitable[None]]


async def _nothing(_: Life) -> None:
    pass


async def _crash(life: Life) -> None:
    await asyncio.to_thread(life.plane.cluster.restart_apiserver, grace=0)
    await asyncio.to_thread(life.plane.cluster.restart_manager)


async def _restart(life: Life) -> None:
    await asyncio.to_thread(life.plane.cluster.restart_apiserver, grace=5)
    await asyncio.to_thread(life.plane.cluster.restart_manager)


async def _full(life: Life) -> None:
    hard = {"count/secrets": "0", "count/configmaps": "0", "count/deployments.apps": "0", "count/services": "0"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": life.namespace}}
    (await life.plane.client.create({**quota, "spec": {"hard": hard}})).result()


async def _room(life: Life) -> None:
    await _remove(life, ObjectRef("v1", "ResourceQuota", life.namespace, "none"))


HOOK = "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"


async def _bar(life: Life) -> None:
    selector = {"matchLabels": {"kubernetes.io/metadata.name": life.namespace}}
    everything = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["*"],
        "resources": ["*/*"],
        "scope": "Namespaced",
    }
    hook = {
        "name": "policy.example.com",
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "rules": [everything],
        "namespaceSelector": selector,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    manifest = {"apiVersion": HOOK[0], "kind": HOOK[1], "metadata": {"name": life.namespace}, "webhooks": [hook]}
    (await life.plane.client.create(manifest)).result()
    await asyncio.sleep(1)  # the API server takes it up a moment later


async def _unbar(life: Life) -> None:
    await _remove(life, ObjectRef(*HOOK, "", life.namespace))


async def _revoke(life: Life) -> None:
    for namespace in (life.namespace, f"{life.namespace}-system"):
        await _remove(life, ObjectRef(RBAC, "RoleBinding", namespace, "operator"))
    await asyncio.sleep(0.5)


async def _remove(life: Life, ref: ObjectRef) -> None:
    live = (await life.plane.client.get(ref)).result()
    (await life.plane.client.delete(ref, live["metadata"]["uid"])).result()


async def grant(life: Life) -> None:
    """Give the operator what the chart gives it in one namespace, and no more."""
    for namespace, scope in ((life.namespace, Scope.SERVED), (f"{life.namespace}-system", Scope.OWN)):
        metadata = {"name": "operator", "namespace": namespace}
        role: Manifest = {
            "apiVersion": RBAC,
            "kind": "Role",
            "metadata": metadata,
            "rules": rules(catalog_rights(), [scope]),
        }
        subject = {"kind": "User", "name": life.namespace, "apiGroup": "rbac.authorization.k8s.io"}
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"}
        binding = {
            "apiVersion": RBAC,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": ref,
            "subjects": [subject],
        }
        for manifest in (role, binding):
            (await life.plane.client.apply(manifest, force=True)).result()


TROUBLES: tuple[Trouble, ...] = (
    Trouble("API server crashes", _crash, _nothing),
    Trouble("API server restarts", _restart, _nothing),
    Trouble("quota of nothing", _full, _room),
    Trouble("webhook that nobody serves", _bar, _unbar),
    Trouble("rights revoked", _revoke, grant),
)


@dataclass
class World:
    """Tries the troubles on one control plane, one after the other, as they meet all that is there."""

    plane: Plane
    tell: Callable[[str], None]
    only: str = ""
    """Only troubles whose name has this in it."""

    def __post_init__(self) -> None:
        self.report = Report()

    async def run(self, points: int = len(POINTS)) -> Report:
        """Try all, each at so many calls of a creation."""
        expected = await without_faults(self.plane, CHANGING)
        for trouble in TROUBLES:
            for number in range(points):
                point = POINTS[number * len(POINTS) // points]
                await self._try(trouble.name, str(point), self._trouble(trouble, point, expected))
        for number in range(points):
            point = POINTS[number * len(POINTS) // points]
            await self._try("namespace deleted", str(point), self._namespace(point))
            await self._try("definition removed and made anew", str(point), self._definition(point, expected))
        await self._try("definition with a newer version", "a creation", self._newer_version(expected))
        for what, spoil in INVENTORIES.items():
            await self._try(f"inventory {what}", "after a change", self._inventory(spoil, expected))
        for skew in SKEWS:
            await self._try(f"clock {skew}", "all stages", self._skewed(skew, expected))
        for running in (True, False):
            told = "operator runs on" if running else "operator starts anew"
            await self._try("etcd restored", told, self._restored(running, expected))
        return self.report

    async def _try(self, name: str, where: str, doing: Coroutine[None, None, bool]) -> None:
        if self.only not in name:
            doing.close()
            return
        try:
            met = await asyncio.wait_for(doing, 400)
        except (BrokenError, TimeoutError) as error:
            self.report.failures.append(Failure("world", f"{name} at {where}", str(error) or "it took too long", ""))
            self.tell(f"FAILED {self.report.failures[-1]}")
            met = True
        if met:
            self.report.run[f"world/{name}"] += 1
        else:
            self.report.unmet.append(f"world: {name} at {where}")
        self.tell(f"world: {name} at {where}: done")

    async def _trouble(self, trouble: Trouble, point: Point, expected: Expected) -> bool:
        async with self._restricted() as life:
            mending: list[asyncio.Task[None]] = []

            async def strike() -> None:
                await trouble.happen(life)
                mending.append(asyncio.create_task(_later(life, trouble.mend)))

            met = await life.run(CREATE, Armed(None, point, strike), expected[CREATE.name])
            await asyncio.gather(*mending)
            return met.struck

    @asynccontextmanager
    async def _restricted(self) -> AsyncIterator[Life]:
        """A life whose operator has the chart's rights in its namespace alone."""
        life = new_life(self.plane)
        config = await asyncio.to_thread(self.plane.cluster.kubeconfig_for, life.namespace)
        async with connected(self.plane.cluster, config) as session:
            life.plane = replace(self.plane, session=session)
            async with life.living():
                await grant(life)
                yield life

    async def _namespace(self, point: Point) -> bool:
        """The stack's namespace is deleted: all goes, the inventory too, and the operator lives."""
        async with new_life(self.plane).living() as life:
            armed = Armed(None, point, lambda: _remove(life, ObjectRef("v1", "Namespace", "", life.namespace)))
            life.proxy.begin(armed)
            await CREATE.act(life)
            await life.until(lambda: _is_gone(life), "the namespace stays")
            return armed.struck

    async def _definition(self, point: Point, expected: Expected) -> bool:
        """AIStacks are no kind any more, and so is every stack gone; then there is one again."""
        async with new_life(self.plane).living() as life:
            armed = Armed(None, point, lambda: _remove(life, DEFINITION))
            life.proxy.begin(armed)
            await CREATE.act(life)
            await life.until(lambda: _is_missing(life.plane.client, DEFINITION), "the definition stays")
            await define(life.plane.client)
            life.proxy.begin()
            for _ in range(100):
                if (await life.plane.client.get(life.ref)).status == 404:
                    break
                await asyncio.sleep(0.2)
            await life.create(FIRST)
            await life.settle(CREATE, expected[CREATE.name])
            return armed.struck

    async def _newer_version(self, expected: Expected) -> bool:
        """Another version of AIStacks comes, and is what is stored; then it goes again."""
        create, _, change, *_ = CHANGING
        async with new_life(self.plane).living() as life:
            armed = Armed(None, POINTS[-1], lambda: _serve(life, NEWER, (NEWER, VERSION)))
            met = await life.run(create, armed, expected[create.name])
            await _serve(life, VERSION, (NEWER, VERSION))
            await life.touch()  # so that no stored object is of the version that goes
            await life.plane.client.merge(DEFINITION, {"status": {"storedVersions": [VERSION]}}, "status")
            await _serve(life, VERSION, (VERSION,))
            await life.run(change, None, expected[change.name])
            return met.struck

    async def _inventory(self, spoil: Spoil, expected: Expected) -> bool:
        """While the operator is away, the inventory becomes another one, or is lost; objects stay as they are."""
        create, _, change, *_ = CHANGING
        async with new_life(self.plane).living() as life:
            ref = ObjectRef("v1", "ConfigMap", f"{life.namespace}-system", f"inventory.{life.namespace}.demo")
            await life.run(create, None, expected[create.name])
            before = (await life.plane.client.get(ref)).result()
            await life.run(change, None, expected[change.name])
            life.operator.kill()
            await spoil(life, ref, before)
            life.proxy.begin()
            await life.settle(change, expected[change.name])
            same_secrets(life)
            await life.run(DELETING[1])
            return True

    async def _skewed(self, skew: str, expected: Expected) -> bool:
        """The operator's clock is wrong all the time."""
        async with new_life(self.plane).living() as life:
            for stage in CHANGING:
                await life.run(stage, None, expected[stage.name], frozenset({skew}))
            return True

    async def _restored(self, running: bool, expected: Expected) -> bool:
        """All goes back to what it was before a change; then the change is made again, and all is deleted."""
        create, _, change, *_ = CHANGING
        async with new_life(self.plane).living() as life:
            await life.run(create, None, expected[create.name])
            copy = await asyncio.to_thread(self.plane.cluster.save_etcd)
            await life.run(change, None, expected[change.name])
            if not running:
                life.operator.kill()
            self.plane.hands.forget()  # what they see again is of the older state
            await asyncio.to_thread(self.plane.cluster.restore_etcd, copy)
            life.proxy.begin()
            await life.settle(create, expected[create.name])
            await life.run(change, None, expected[change.name])
            await life.run(DELETING[1])
            return True


async def _serve(life: Life, stored: str, versions: Sequence[str]) -> None:
    """Have AIStacks served in these versions, and stored in one of them."""
    live = (await life.plane.client.get(DEFINITION)).result()
    made = crd_manifest(STACKS)["spec"]["versions"][0]
    spec = {"versions": [{**made, "name": name, "storage": name == stored} for name in versions]}
    (await life.plane.client.replace({**live, "spec": {**live["spec"], **spec}})).result()
    await asyncio.sleep(1)  # the API server takes it up a moment later


async def _restore_backup(life: Life, ref: ObjectRef, before: Manifest) -> None:
    """Put back an older inventory, whose objects had other UIDs."""
    text = UIDS.sub(lambda found: f"{found[0][:-4]}0000", before["data"][PLAIN])
    (await life.plane.client.merge(ref, {"data": {PLAIN: text}})).result()


async def _lose(life: Life, ref: ObjectRef, _: Manifest) -> None:
    await _remove(life, ref)


INVENTORIES: dict[str, Spoil] = {"restored from a backup": _restore_backup, "lost": _lose}


async def _later(life: Life, mend: Callable[[Life], Awaitable[None]]) -> None:
    await asyncio.sleep(LASTS)
    await mend(life)


async def _is_missing(client: Client, ref: ObjectRef) -> bool:
    return (await client.get(ref)).status == 404


async def _is_gone(life: Life) -> bool:
    """Whether the stack's namespace is gone, and what the operator remembered of it."""
    client = life.plane.client
    inventory = ObjectRef("v1", "ConfigMap", f"{life.namespace}-system", f"inventory.{life.namespace}.demo")
    namespace = ObjectRef("v1", "Namespace", "", life.namespace)
    return await _is_missing(client, namespace) and await _is_missing(client, inventory)
