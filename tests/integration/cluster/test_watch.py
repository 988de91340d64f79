"""Watches: what they bring, and what they survive."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from aistack.cluster.engine import Engine
from aistack.objects.manifest import ObjectKind
from aistack.objects.plan import ApplyObject, OwnerKey, Unit
from tests.cluster.controlplane import ControlPlane
from tests.integration.cluster.lab import CONFIG, Lab, eventually, only, plan_of

pytestmark = pytest.mark.integration


async def test_only_changes_that_matter_are_told(lab: Lab) -> None:
    told: list[OwnerKey] = []
    step = lab.config("c", k="ours")
    async with Engine(lab.client, lab.settings, told.append) as engine, await lab.stranger() as stranger:
        await engine.start()
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        await asyncio.sleep(0.5)
        told.clear()
        (await stranger.merge(step.ref, {"metadata": {"annotations": {"note": "a field that isn't ours"}}})).result()
        await asyncio.sleep(0.5)
        assert lab.owner.key not in told
        (await stranger.merge(step.ref, {"data": {"k": "theirs"}})).result()

        async def heard() -> bool:
            return lab.owner.key in told

        await eventually(heard)


async def test_an_api_server_that_restarts_is_found_again(control_plane: ControlPlane, lab: Lab) -> None:
    step = lab.config("c", k="ours")
    plan = plan_of(Unit("a", prepare=(step,)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        # Not in a thread: the server is tied to the life of the thread that starts it.
        control_plane.restart_apiserver()

        async def recovered() -> bool:
            return not engine.degraded()

        await eventually(recovered)
        live = await lab.get(CONFIG, "c")
        assert live
        (await lab.client.delete(step.ref, live["metadata"]["uid"])).result()

        async def repaired() -> bool:
            await engine.apply(plan, lab.owner)
            return await lab.get(CONFIG, "c") is not None

        await eventually(repaired)


async def test_a_silent_watch_is_replaced(lab: Lab) -> None:
    async with lab.engine(watch_silence=0.5) as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c"),))))
        lab.calls.clear()
        with patch("aistack.cluster.reflector.list_all") as listed:
            await asyncio.sleep(2)
        assert lab.calls["watch", "Deployment"] >= 1
        listed.assert_not_called()
        # How far the history goes is all that it asks: the silence may have been a restore of the cluster.
        assert lab.calls["list", "Deployment"] <= lab.calls["watch", "Deployment"]


async def test_a_kind_that_appears_later_is_picked_up(lab: Lab) -> None:
    kind = ObjectKind("late.example/v1", "Latecomer")
    late = ApplyObject({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": lab.meta("x", "a")})
    plan = plan_of(Unit("a", prepare=(late,)))
    async with lab.engine() as engine:
        assert "no kind Latecomer" in str(only(await engine.apply(plan, lab.owner)).errors[0])
        assert "Latecomer" in engine.degraded()
        await lab.define(kind)
        await lab.settle(engine, plan)
        assert "Latecomer" not in engine.degraded()
