"""What stops an owner and isn't its own: it hears of it when that changes, without waiting for its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.obstacles import QUOTA, ROLE, ROLE_BINDING
from aistack.errors import ForbiddenError
from aistack.objects.manifest import ObjectKind
from aistack.objects.plan import ApplyObject, OwnerKey, Unit
from tests.integration.cluster.lab import Lab, eventually, limit, only, plan_of
from tests.integration.identities import Rule, grant, user

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


READS = ["get", "list", "watch"]
ALL = ["create", "delete", "patch", "update", *READS]


@pytest.mark.parametrize("lacks", ["a binding", "a rule of a role"])
async def test_a_right_that_is_granted_is_heard_of(lab: Lab, lacks: str) -> None:
    limited, bound = f"limited-{lab.namespace}", lacks != "a binding"
    await grant(lab, "", limited, anything(READS), user(limited))
    await grant(lab, lab.system, limited, anything(ALL), user(limited))
    await grant(lab, lab.namespace, limited, anything(READS if bound else ALL), user(limited if bound else "nobody"))
    plan = plan_of(Unit("a", prepare=(lab.config("c1"),)))
    async with await Client.connect("aistack", str(lab.cluster.kubeconfig_for(limited))) as client:
        client.hooks.append(lab.count)
        async with hearing(lab, client=client) as (engine, told):
            errors = only(await engine.apply(plan, lab.owner)).errors
            assert any(isinstance(error, ForbiddenError) for error in errors), errors
            for kind in (ROLE, ROLE_BINDING):
                await eventually(lambda kind=kind: follows(engine, lab, kind, beside=1))
            told.clear()
            await grant(lab, lab.namespace, limited, anything(ALL), user(limited))
            await eventually(lambda: heard(told, lab))
            await lab.settle(engine, plan)
            assert not await follows(engine, lab, ROLE, beside=1), "nobody is stopped any more"


def anything(verbs: list[str]) -> list[Rule]:
    """Rules to do something with all kinds."""
    return [{"apiGroups": ["*"], "resources": ["*"], "verbs": verbs}]


async def test_a_kind_that_is_defined_at_last_is_heard_of(lab: Lab) -> None:
    kind = ObjectKind("late.example/v1", "Straggler")
    late = ApplyObject({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": lab.meta("x", "a")})
    plan = plan_of(Unit("a", prepare=(late,)))
    async with hearing(lab, patience=600) as (engine, told):
        assert only(await engine.apply(plan, lab.owner)).errors
        await asyncio.sleep(7)  # by now it waits for longer than this test does
        told.clear()  # before: it may look by itself in that very moment
        await lab.define(kind)
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
