"""Edits by others: undone where the field was ours, left alone where it never was, only reported where asked to."""

from __future__ import annotations

import asyncio

import pytest

from aistack.cluster.autoscaled import AUTOSCALER
from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.feuds import FREE
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.objects.outcome import ObjectOutcome, Verb
from aistack.objects.plan import ApplyObject, DriftPolicy, Plan, Unit
from tests.integration.cluster.lab import CONFIG, DEPLOYMENT, MANAGER, STACK, Lab, eventually, only, plan_of

pytestmark = pytest.mark.integration


async def meddle(lab: Lab, ref: ObjectRef, patch: Manifest) -> None:
    async with await lab.stranger() as stranger:
        (await stranger.merge(ref, patch)).result()


async def passes_until(lab: Lab, engine: Engine, plan: Plan, verb: Verb) -> ObjectOutcome:
    """Repeat passes until the watch brought the news and a pass acted on it."""
    found: list[ObjectOutcome] = []

    async def seen() -> bool:
        found[:] = [o for o in only(await engine.apply(plan, lab.owner)).objects if o.verb is verb]
        return bool(found)

    await eventually(seen)
    return found[0]


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"data": {"k": "theirs"}}, id="value changed"),
        pytest.param({"data": None}, id="fields removed"),
        pytest.param({"metadata": {"labels": {STACK: None}}}, id="label removed, so that the watch loses sight of it"),
        pytest.param({"metadata": {"labels": {STACK: "other"}}}, id="given to another owner"),
    ],
)
async def test_an_edit_is_undone(lab: Lab, patch: Manifest) -> None:
    step = lab.config("c", k="ours")
    plan = plan_of(Unit("a", prepare=(step,)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        await meddle(lab, step.ref, patch)
        await passes_until(lab, engine, plan, Verb.REPAIRED)
        lab.calls.clear()
        assert (await engine.apply(plan, lab.owner)).settled
        assert not lab.calls

    live = await lab.get(CONFIG, "c")
    assert live and live["data"] == {"k": "ours"}
    assert live["metadata"]["labels"][STACK] == lab.name


async def test_an_edit_made_while_the_operator_was_down_is_undone(lab: Lab) -> None:
    step = lab.config("c", k="ours")
    plan = plan_of(Unit("a", prepare=(step,)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
    await meddle(lab, step.ref, {"data": {"k": "theirs"}})
    async with lab.engine() as engine:
        outcome = await engine.apply(plan, lab.owner)

    assert only(outcome).objects[0].verb is Verb.REPAIRED


async def test_fields_of_ours_are_won_back_together_with_a_change_of_the_plan(lab: Lab) -> None:
    step = lab.workload("w", image="one")
    async with lab.engine() as engine:
        await engine.apply(plan_of(Unit("a", run=(step,))), lab.owner)
        image = {"name": "c", "image": "registry.example/theirs:1"}
        await meddle(lab, step.ref, {"spec": {"template": {"spec": {"containers": [image]}}}})
        outcome = await engine.apply(plan_of(Unit("a", run=(lab.workload("w", image="two"),))), lab.owner)

    assert only(outcome).objects[0].verb is Verb.CONFIGURED
    live = await lab.get(DEPLOYMENT, "w")
    assert live and live["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/two:1"


async def test_a_deleted_object_is_made_again(lab: Lab) -> None:
    step = lab.config("c", k="ours")
    plan = plan_of(Unit("a", prepare=(step,)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        live = await lab.get(CONFIG, "c")
        assert live
        (await lab.client.delete(step.ref, live["metadata"]["uid"])).result()
        await passes_until(lab, engine, plan, Verb.REPAIRED)

    assert await lab.get(CONFIG, "c")


async def test_warn_only_reports(lab: Lab) -> None:
    step = lab.config("c", k="ours")
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        await meddle(lab, step.ref, {"data": {"k": "theirs"}})
        warning = plan_of(Unit("a", prepare=(step,)), drift=DriftPolicy.WARN)
        drifted = await passes_until(lab, engine, warning, Verb.DRIFTED)

    assert "edited by somebody else" in drifted.note
    live = await lab.get(CONFIG, "c")
    assert live and live["data"] == {"k": "theirs"}


async def test_a_field_that_was_never_ours_is_left_to_its_manager(lab: Lab) -> None:
    """Somebody scales a Deployment whose replicas we didn't set; later the plan wants them."""
    step = lab.workload("w")
    step.manifest["spec"].pop("replicas")
    wanting = lab.workload("w", image="two")
    async with lab.engine() as engine:
        await engine.apply(plan_of(Unit("a", run=(step,))), lab.owner)
        await meddle(lab, step.ref, {"spec": {"replicas": 3}})
        outcome = await engine.apply(plan_of(Unit("a", run=(wanting,))), lab.owner)
        lab.calls.clear()
        again = await engine.apply(plan_of(Unit("a", run=(wanting,))), lab.owner)

    contested = only(outcome).objects[0]
    assert contested.verb is Verb.CONTESTED
    assert ".spec.replicas" in contested.note
    assert "stranger" in contested.note
    assert only(again).objects[0].verb is Verb.CONTESTED
    assert not lab.calls
    live = await lab.get(DEPLOYMENT, "w")
    assert live and live["spec"]["replicas"] == 3
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/two:1"
    assert only(outcome).complete


async def test_own_fields_are_won_back_while_a_contested_one_stays(lab: Lab) -> None:
    step = lab.config("c", k="ours")
    wanting = lab.config("c", k="ours", n="ours")
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        await meddle(lab, step.ref, {"data": {"n": "theirs", "k": "theirs"}})
        outcome = await engine.apply(plan_of(Unit("a", prepare=(wanting,))), lab.owner)

    assert only(outcome).objects[0].verb is Verb.CONTESTED
    live = await lab.get(CONFIG, "c")
    assert live and live["data"] == {"k": "ours", "n": "theirs"}


async def test_an_edit_that_cannot_be_merged_with_ours_is_undone(lab: Lab) -> None:
    """A renumbered port would stand beside ours under the same name, which the API server refuses."""
    spec = {"selector": {"app": "a"}, "ports": [{"name": "http", "port": 5000}]}
    step = ApplyObject({"apiVersion": "v1", "kind": "Service", "metadata": lab.meta("s", "a"), "spec": spec})
    plan = plan_of(Unit("a", prepare=(step,)))
    async with lab.engine() as engine, await lab.stranger() as stranger:
        await lab.settle(engine, plan)
        (await stranger.merge(step.ref, {"spec": {"ports": [{"name": "http", "port": 81}]}})).result()

        async def back() -> bool:
            await engine.apply(plan, lab.owner)
            live = await lab.get(step.ref.object_kind, "s")
            return live is not None and [p["port"] for p in live["spec"]["ports"]] == [5000]

        await eventually(back)
        assert (await lab.settle(engine, plan)).settled


def service(lab: Lab, *ports: int, **spec: str) -> ApplyObject:
    named = [{"name": f"p{port}", "port": port} for port in ports]
    data = {"selector": {"app": "a"}, "ports": named, **spec}
    return ApplyObject({"apiVersion": "v1", "kind": "Service", "metadata": lab.meta("s", "a"), "spec": data})


async def test_what_was_left_to_others_stays_theirs_when_an_edit_is_undone_as_a_whole(lab: Lab) -> None:
    step = service(lab, 5000)
    plan = plan_of(Unit("a", prepare=(service(lab, 5000, internalTrafficPolicy="Cluster"),)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        await meddle(lab, step.ref, {"spec": {"internalTrafficPolicy": "Local"}})
        assert only(await engine.apply(plan, lab.owner)).objects[0].verb is Verb.CONTESTED
        await meddle(lab, step.ref, {"spec": {"ports": [{"name": "p5000", "port": 81}]}})
        live = await ports_back(lab, engine, plan, [5000])
        assert only(await engine.apply(plan, lab.owner)).objects[0].verb is Verb.CONTESTED

    assert live["spec"]["internalTrafficPolicy"] == "Local"


async def test_a_port_that_the_plan_drops_goes_even_after_an_edit_was_undone_as_a_whole(lab: Lab) -> None:
    step = service(lab, 5000, 6000)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        await meddle(lab, step.ref, {"spec": {"ports": [{"name": "p6000", "port": 81}]}})
        await ports_back(lab, engine, plan_of(Unit("a", prepare=(step,))), [5000, 6000])
        await ports_back(lab, engine, plan_of(Unit("a", prepare=(service(lab, 5000),))), [5000])


async def ports_back(lab: Lab, engine: Engine, plan: Plan, ports: list[int]) -> Manifest:
    """Repeat passes until the Service has these ports and no others."""
    found: list[Manifest] = []

    async def back() -> bool:
        await engine.apply(plan, lab.owner)
        live = await lab.get(ObjectKind("v1", "Service"), "s")
        found[:] = [live] if live else []
        return bool(live) and sorted(p["port"] for p in found[0]["spec"]["ports"]) == ports

    await eventually(back, lambda: str(found))
    return found[0]


async def test_an_edit_under_our_own_name_is_undone(lab: Lab) -> None:
    step = lab.config("c", k="ours")
    plan = plan_of(Unit("a", prepare=(step,)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        await asyncio.sleep(1.1)  # the time of an owner's last write is told in seconds
        edited = {**step.manifest, "data": {"k": "theirs"}}
        async with await Client.connect(MANAGER, str(lab.cluster.kubeconfig)) as impostor:
            (await impostor.apply(edited)).result()
        await passes_until(lab, engine, plan, Verb.REPAIRED)
    live = await lab.get(CONFIG, "c")
    assert live and live["data"] == {"k": "ours"}


async def test_who_changes_it_back_each_time_is_met_more_and_more_seldom(lab: Lab) -> None:
    step = lab.config("c", k="ours")
    other = lab.config("d", k="ours")
    plan = plan_of(Unit("a", prepare=(step, other)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        for round_ in range(FREE):
            await meddle(lab, step.ref, {"data": {"k": f"theirs {round_}"}})
            await passes_until(lab, engine, plan, Verb.REPAIRED)
        await meddle(lab, step.ref, {"data": {"k": "theirs"}})
        left = await passes_until(lab, engine, plan, Verb.CONTESTED)
        assert "somebody else changes it back" in left.note
        outcome = await engine.apply(plan, lab.owner)
        assert 0 < outcome.retry_after <= 1
        await meddle(lab, other.ref, {"data": {"k": "theirs"}})
        assert (await passes_until(lab, engine, plan, Verb.REPAIRED)).ref == other.ref, "no other object waits"
        await asyncio.sleep(outcome.retry_after)
        await passes_until(lab, engine, plan, Verb.REPAIRED)
    live = await lab.get(CONFIG, "c")
    assert live and live["data"] == {"k": "ours"}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
async def test_the_number_of_pods_is_left_to_an_autoscaler_and_to_nobody_else(lab: Lab, kind: str) -> None:
    step = lab.workload("w", kind=kind)
    plan = plan_of(Unit("a", run=(step,)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        await scale(lab, step.ref, 2)
        await passes_until(lab, engine, plan, Verb.REPAIRED)
        assert await replicas(lab, step.ref) == 1, "a person's change is undone"

        await autoscale(lab, step.ref)
        await scale(lab, step.ref, 3)

        async def asked() -> bool:
            await engine.apply(plan, lab.owner)
            return bool(lab.calls["list", AUTOSCALER.kind])

        await eventually(asked)
        await lab.settle(engine, plan)
        lab.calls.clear()
        assert only(await engine.apply(plan, lab.owner)).objects[0].verb is Verb.UNCHANGED
        assert not lab.calls
        changed = plan_of(Unit("a", run=(lab.workload("w", kind=kind, image="two"),)))
        await lab.settle(engine, changed)
    assert await replicas(lab, step.ref) == 3


async def scale(lab: Lab, ref: ObjectRef, pods: int) -> None:
    """Do what `kubectl scale` and autoscalers do."""
    async with await lab.stranger() as stranger:
        (await stranger.merge(ref, {"spec": {"replicas": pods}}, "scale")).result()


async def replicas(lab: Lab, ref: ObjectRef) -> int:
    """Return how many pods a workload is to have."""
    live = await lab.get(ref.object_kind, ref.name)
    assert live
    return int(live["spec"]["replicas"])


async def autoscale(lab: Lab, ref: ObjectRef) -> None:
    """Make an autoscaler for a workload; nothing measures here, so it changes nothing by itself."""
    target = {"apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name}
    manifest = {
        "apiVersion": AUTOSCALER.api_version,
        "kind": AUTOSCALER.kind,
        "metadata": {"name": "scaler", "namespace": lab.namespace},
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5},
    }
    (await lab.client.create(manifest)).result()
