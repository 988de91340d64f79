"""What stops an owner and isn't its own: it hears of it when that changes, without waiting for its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.obstacles import QUOTA, RBAC, ROLE, ROLE_BINDING
from aistack.errors import ForbiddenError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.objects.plan import ApplyObject, OwnerKey, Unit
from tests.integration.cluster.lab import Lab, eventually, only, plan_of

pytestmark = pytest.mark.integration


@asynccontextmanager
async def hearing(
    lab: Lab, patience: float = 0.5, client: Client | None = None
) -> AsyncIterator[tuple[Engine, list[OwnerKey]]]:
    """An engine, and the owners that it told of."""
    told: list[OwnerKey] = []
    settings = replace(lab.settings, watch_backoff_limit=patience)
    async with Engine(client or lab.client, settings, on_change=told.append) as engine:
        await engine.start()
        yield engine, told


async def limit(lab: Lab, count: int) -> ObjectRef:
    """Allow so many ConfigMaps; one is the cluster's own."""
    metadata = {"name": "q", "namespace": lab.namespace}
    quota = {"apiVersion": "v1", "kind": QUOTA.kind, "metadata": metadata}
    hard = {"count/configmaps": str(count)}
    (await lab.client.apply({**quota, "spec": {"hard": hard}}, force=True)).result()
    ref = ObjectRef("v1", QUOTA.kind, lab.namespace, "q")

    async def counted() -> bool:
        live = await lab.get(QUOTA, "q")
        return bool(live and live.get("status", {}).get("hard") == hard)

    await eventually(counted)
    return ref


@pytest.mark.parametrize("deleted", [False, True], ids=["raised", "deleted"])
async def test_a_quota_that_gives_way_is_heard_of(lab: Lab, deleted: bool) -> None:
    ref = await limit(lab, 2)
    plan = plan_of(Unit("a", prepare=(lab.config("c1"), lab.config("c2"))))
    async with hearing(lab) as (engine, told):
        assert only(await engine.apply(plan, lab.owner)).errors
        await eventually(lambda: follows(engine, lab))
        told.clear()
        if deleted:
            live = await lab.get(QUOTA, "q")
            assert live
            (await lab.client.delete(ref, live["metadata"]["uid"])).result()
        else:
            await limit(lab, 5)
        await eventually(lambda: heard(told, lab))
        await lab.settle(engine, plan)
        assert not await follows(engine, lab), "nobody is stopped any more"


async def test_quotas_that_stop_nobody_are_not_looked_at(lab: Lab) -> None:
    await limit(lab, 10)
    async with hearing(lab) as (engine, _):
        lab.calls.clear()
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c1"),))))
        assert not [kind for _, kind in lab.calls if kind == QUOTA.kind]


@pytest.mark.parametrize("lacks", ["a binding", "a rule of a role"])
async def test_a_right_that_is_granted_is_heard_of(lab: Lab, lacks: str) -> None:
    bound = lacks != "a binding"
    await allow(lab, "", READS, bound=True)
    await allow(lab, lab.system, ALL, bound=True)
    await allow(lab, lab.namespace, READS if bound else ALL, bound)
    plan = plan_of(Unit("a", prepare=(lab.config("c1"),)))
    async with await Client.connect("aistack", str(lab.cluster.kubeconfig_for(user_of(lab)))) as client:
        client.hooks.append(lab.count)
        async with hearing(lab, client=client) as (engine, told):
            errors = only(await engine.apply(plan, lab.owner)).errors
            assert any(isinstance(error, ForbiddenError) for error in errors), errors
            for kind in (ROLE, ROLE_BINDING):
                await eventually(lambda kind=kind: follows(engine, lab, kind, beside=1))
            told.clear()
            await allow(lab, lab.namespace, ALL, bound=True)
            await eventually(lambda: heard(told, lab))
            await lab.settle(engine, plan)
            assert not await follows(engine, lab, ROLE, beside=1), "nobody is stopped any more"


ALL = ("create", "delete", "get", "list", "patch", "update", "watch")
READS = ("get", "list", "watch")


def user_of(lab: Lab) -> str:
    """Who may do only what :func:`allow` says."""
    return f"limited-{lab.namespace}"


async def allow(lab: Lab, namespace: str, verbs: Sequence[str], bound: bool) -> None:
    """Let the limited user do something with all kinds, in a namespace or everywhere."""
    scope = {"namespace": namespace} if namespace else {}
    kind, group = "Role" if namespace else "ClusterRole", "rbac.authorization.k8s.io"
    metadata = {"name": user_of(lab), **scope}
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": list(verbs)}]
    role: Manifest = {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": rules}
    binding = {"apiVersion": RBAC, "kind": f"{kind}Binding", "metadata": metadata}
    binding["roleRef"] = {"apiGroup": group, "kind": kind, "name": user_of(lab)}
    binding["subjects"] = [{"kind": "User", "name": user_of(lab), "apiGroup": group}]
    for manifest in (role, binding) if bound else (role,):
        (await lab.client.apply(manifest, force=True)).result()


async def test_a_kind_that_is_defined_at_last_is_heard_of(lab: Lab) -> None:
    kind = ObjectKind("late.example/v1", "Straggler")
    late = ApplyObject({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": lab.meta("x", "a")})
    plan = plan_of(Unit("a", prepare=(late,)))
    async with hearing(lab, patience=600) as (engine, told):
        assert only(await engine.apply(plan, lab.owner)).errors
        await asyncio.sleep(7)  # by now it waits for longer than this test does
        await lab.define(kind)
        told.clear()
        engine.defined(kind)
        started = asyncio.get_running_loop().time()
        await eventually(lambda: heard(told, lab))
        assert asyncio.get_running_loop().time() - started < 5
        await lab.settle(engine, plan)


async def follows(engine: Engine, lab: Lab, kind: ObjectKind = QUOTA, beside: int = 0) -> bool:
    """Whether objects of a kind are followed because they stop somebody, beside other watches on them."""
    watches = [sight for sight in engine.sights() if sight.kind == kind.kind and not sight.problem]
    return len(watches) > beside and bool(lab.calls["watch", kind.kind])


async def heard(told: list[OwnerKey], lab: Lab) -> bool:
    """Whether the owner was told of."""
    return lab.owner.key in told
