"""Creating, leaving alone, changing and recreating objects."""

from __future__ import annotations

import pytest

from aistack.errors import ForeignObjectError
from aistack.objects.health import HealthState
from aistack.objects.manifest import ObjectKind
from aistack.objects.outcome import Verb
from aistack.objects.plan import ApplyObject, Strategy, Unit
from aistack.objects.recipes import Generate
from tests.integration.cluster.lab import CONFIG, DEPLOYMENT, MANAGER, SECRET, STATEFUL_SET, UNIT, Lab, only, plan_of

pytestmark = pytest.mark.integration


async def test_creating_costs_two_calls_more_than_there_are_objects(lab: Lab) -> None:
    configs = tuple(lab.config(f"c{i}", value=str(i)) for i in range(30))
    plan = plan_of(Unit("a", prepare=(lab.secret("s", {"password": Generate(24)}), *configs)))
    async with lab.engine() as engine:
        await engine.observe(lab.owner)  # what watches this namespace's Secrets starts with the first look at it
        lab.calls.clear()
        outcome = await engine.apply(plan, lab.owner)

    assert outcome.settled
    assert {o.verb for o in only(outcome).objects} == {Verb.CREATED}
    requests = {call: n for call, n in lab.calls.items() if call[0] != "watch"}
    assert sum(requests.values()) == 31 + 2, requests


async def test_an_unchanged_plan_costs_nothing(lab: Lab) -> None:
    plan = plan_of(lab.everything(k="v"))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        lab.calls.clear()
        outcome = await engine.apply(plan, lab.owner)

    assert outcome.settled
    assert {o.verb for o in only(outcome).objects} == {Verb.UNCHANGED}
    assert not lab.calls


async def test_an_unchanged_plan_writes_nothing_after_a_restart(lab: Lab) -> None:
    plan = plan_of(lab.everything(k="v"))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
    before = await lab.versions(CONFIG, SECRET, DEPLOYMENT)
    async with lab.engine() as engine:
        outcome = await engine.apply(plan, lab.owner)

    assert outcome.settled
    assert not {call for call in lab.calls if call[0] != "watch"}
    assert await lab.versions(CONFIG, SECRET, DEPLOYMENT) == before


async def test_a_changed_object_is_the_only_one_written(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c", k="1"), lab.config("d", k="1")))))
        lab.calls.clear()
        outcome = await engine.apply(
            plan_of(Unit("a", prepare=(lab.config("c", k="2"), lab.config("d", k="1")))), lab.owner
        )

    assert [o.verb for o in only(outcome).objects] == [Verb.CONFIGURED, Verb.UNCHANGED]
    assert lab.calls == {("apply", "ConfigMap"): 1, ("update", "ConfigMap"): 1}
    live = await lab.get(CONFIG, "c")
    assert live and live["data"] == {"k": "2"}


async def test_a_field_that_is_no_longer_wanted_goes(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c", k="1", old="x"),))))
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c", k="1"),))))

    live = await lab.get(CONFIG, "c")
    assert live and live["data"] == {"k": "1"}


async def test_custom_resources_are_created_under_the_same_guard(lab: Lab) -> None:
    """The precondition that stands for "doesn't exist" must hold for kinds from CRDs, too."""
    kind = ObjectKind("demo.example/v1", "Widget")
    await lab.define(kind)
    ours, theirs = (
        {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": lab.meta(name, "a"), "spec": {"n": 1}}
        for name in ("ours", "theirs")
    )
    plan = plan_of(Unit("a", prepare=(ApplyObject(ours),)))
    async with lab.engine() as engine:
        assert only(await engine.apply(plan, lab.owner)).objects[0].verb is Verb.CREATED
        lab.calls.clear()
        assert (await engine.apply(plan, lab.owner)).settled
        assert not lab.calls
    async with await lab.stranger() as stranger:
        (await stranger.create(theirs)).result()
    async with lab.engine() as engine:
        outcome = await engine.apply(plan_of(Unit("a", prepare=(ApplyObject(ours), ApplyObject(theirs)))), lab.owner)
    assert [type(error) for error in only(outcome).errors] == [ForeignObjectError]


async def test_a_deployment_is_recreated_when_a_field_cannot_change(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", run=(lab.workload("w", app="old"),))))
        changed = lab.workload("w", app="new", strategy=Strategy.RECREATE)
        first = await engine.apply(plan_of(Unit("a", run=(changed,))), lab.owner)
        await lab.settle(engine, plan_of(Unit("a", run=(lab.workload("w", app="new"),))))

    assert only(first).objects[0].verb is Verb.RECREATED
    live = await lab.get(DEPLOYMENT, "w")
    assert live and live["spec"]["selector"]["matchLabels"] == {"app": "new"}


async def test_a_stateful_set_is_recreated_around_its_pods(lab: Lab) -> None:
    pod = ObjectKind("v1", "Pod")
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", run=(lab.workload("w", kind="StatefulSet"),))))
        before = await lab.get(pod, "w-0")
        step = lab.workload("w", kind="StatefulSet", strategy=Strategy.RECREATE_ORPHAN)
        step.manifest["spec"]["podManagementPolicy"] = "Parallel"
        await lab.settle(engine, plan_of(Unit("a", run=(step,))))
        after = await lab.get(pod, "w-0")

    live = await lab.get(STATEFUL_SET, "w")
    assert live and live["spec"]["podManagementPolicy"] == "Parallel"
    assert before and after and before["metadata"]["uid"] == after["metadata"]["uid"]


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret", "Job"])
async def test_an_object_of_somebody_else_is_never_taken_over(lab: Lab, kind: str) -> None:
    steps = {
        "ConfigMap": Unit("a", prepare=(lab.config("x", ours="yes"), lab.config("y"))),
        "Secret": Unit("a", prepare=(lab.secret("x", {"p": Generate(8)}), lab.config("y"))),
        "Job": Unit("a", prepare=(lab.config("y"),), actions=(lab.action("k", "x"),)),
    }
    unit = steps[kind]
    step = next(s for s in (*unit.prepare, *unit.actions) if s.ref.kind == kind)
    # With our labels on it: a label is no proof.
    theirs = {**step.manifest, "data": {}} if kind != "Job" else step.manifest
    async with await lab.stranger() as stranger:
        made = (await stranger.create(theirs)).result()
    async with lab.engine() as engine:
        outcome = await engine.apply(plan_of(unit), lab.owner)
        again = await engine.apply(plan_of(unit), lab.owner)
        deleted = await lab.remove(engine, retain=False)

    for result in (outcome, again):
        assert [type(error) for error in only(result).errors] == [ForeignObjectError]
        assert f"{kind} {lab.namespace}/{step.ref.name} exists" in str(only(result).errors[0])
        assert not only(result).complete
        assert [o.ref.name for o in only(result).objects] == ["y"]
    assert deleted.done
    live = await lab.get(step.ref.object_kind, step.ref.name)
    assert live and live["metadata"]["uid"] == made["metadata"]["uid"]
    assert MANAGER not in {entry["manager"] for entry in live["metadata"]["managedFields"]}


async def test_an_object_of_somebody_else_that_is_going_is_looked_at_again(lab: Lab) -> None:
    """No watch shows it: only another look tells that its name is free."""
    step = lab.config("x")
    theirs = {
        **step.manifest,
        "metadata": {"name": "x", "namespace": lab.namespace, "finalizers": ["demo.example/hold"]},
    }
    async with await lab.stranger() as stranger:
        made = (await stranger.create(theirs)).result()
        await stranger.delete(step.ref, made["metadata"]["uid"])
        async with lab.engine() as engine:
            outcome = await engine.apply(plan_of(Unit("a", prepare=(step,))), lab.owner)
            assert only(outcome).objects[0].health.state is HealthState.TERMINATING
            assert outcome.retry_after > 0
            (await stranger.merge(step.ref, {"metadata": {"finalizers": None}})).result()
            await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))


async def test_an_error_stops_its_unit_only(lab: Lab) -> None:
    broken = lab.workload("bad")
    broken.manifest["spec"]["replicas"] = -1
    plan = plan_of(
        Unit("a", prepare=(broken,), run=(lab.workload("w"),)), Unit("b", prepare=(lab.config("c", unit="b"),))
    )
    async with lab.engine() as engine:
        outcome = await engine.apply(plan, lab.owner)

    assert "must be greater than or equal to 0" in str(outcome.units["a"].errors[0])
    assert outcome.units["a"].objects == ()
    assert outcome.units["b"].healthy
    live = await lab.get(CONFIG, "c")
    assert live and live["metadata"]["labels"][UNIT] == "b"
