"""Order inside a plan: what waits for what, and actions that run once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aistack.cluster.engine import Engine
from aistack.objects.manifest import ref_of
from aistack.objects.outcome import ActionState
from aistack.objects.plan import Plan, Unit
from tests.integration.cluster.lab import CONFIG, DEPLOYMENT, JOB, Lab, eventually, only, plan_of

pytestmark = pytest.mark.integration


async def test_consumers_wait_until_their_provider_is_healthy(lab: Lab) -> None:
    provider = Unit("db", run=(lab.workload("db", unit="db"),))
    consumer = Unit(
        "app",
        after=("db",),
        prepare=(lab.config("app", unit="app"),),
        actions=(lab.action("app/postgres", "claim", unit="app", after=("db",)),),
        run=(lab.workload("app", unit="app"),),
    )
    plan = plan_of(provider, consumer)
    async with lab.engine() as engine:
        first = await engine.apply(plan, lab.owner)
        assert first.units["app"].waiting_for == ("db",)
        assert [a.state for a in first.units["app"].actions] == [ActionState.PENDING]
        assert await lab.names(CONFIG) >= {"app"}
        assert await lab.names(DEPLOYMENT) == {"db"}
        assert await lab.names(JOB) == set()

        async def claimed() -> bool:
            await lab.play_kubelet()
            outcome = await engine.apply(plan, lab.owner)
            return outcome.units["app"].actions[0].state is ActionState.RUNNING

        await eventually(claimed)
        assert await lab.names(DEPLOYMENT) == {"db"}
        await lab.end_job("claim")
        await lab.settle(engine, plan)

    assert await lab.names(DEPLOYMENT) == {"db", "app"}


async def test_an_action_waits_for_a_plan_that_knows_what_it_needs(lab: Lab) -> None:
    provider = Unit("db", run=(lab.config("db", unit="db"),))  # it is healthy in the pass that makes it
    plan = plan_of(provider, Unit("app", actions=(lab.action("app/postgres", "claim", unit="app", after=("db",)),)))
    async with lab.engine() as engine:
        first = await engine.apply(plan, lab.owner)
        assert [a.state for a in first.units["app"].actions] == [ActionState.PENDING]
        assert 0 < first.retry_after <= 1
        assert await lab.names(JOB) == set()
        second = await engine.apply(plan, lab.owner)

    assert [a.state for a in second.units["app"].actions] == [ActionState.RUNNING]


async def test_workloads_do_not_wait_for_an_action_that_does_not_block(lab: Lab) -> None:
    plan = plan_of(Unit("a", actions=(lab.action("a/x", "claim", blocking=False),), run=(lab.workload("w"),)))
    async with lab.engine() as engine:
        first = only(await engine.apply(plan, lab.owner))
        assert await lab.names(DEPLOYMENT) == {"w"}
        assert not first.complete
        await lab.end_job("claim")
        await lab.settle(engine, plan)


async def test_a_finished_action_may_vanish(lab: Lab) -> None:
    plan = plan_of(Unit("a", actions=(lab.action("a/x", "claim"),), run=(lab.workload("w"),)))
    async with lab.engine() as engine:
        await engine.apply(plan, lab.owner)
        await lab.end_job("claim")
        await lab.settle(engine, plan)
        live = await lab.get(JOB, "claim")
        assert live
        (await lab.client.delete(plan.units[0].actions[0].ref, live["metadata"]["uid"])).result()
    async with lab.engine() as engine:
        outcome = await engine.apply(plan, lab.owner)

    assert outcome.settled
    assert lab.writes() == 0
    assert await lab.names(JOB) == set()


async def test_a_failed_action_says_why_and_runs_again(lab: Lab) -> None:
    plan = plan_of(Unit("a", actions=(lab.action("a/x", "claim"),), run=(lab.workload("w"),)))
    async with lab.engine() as engine:
        await engine.apply(plan, lab.owner)
        await lab.end_job("claim", 1, "Traceback\nConnectionError: db refused the connection\n")

        async def failed() -> bool:
            outcome = await engine.apply(plan, lab.owner)
            (action,) = only(outcome).actions
            return action.state is ActionState.FAILED and action.message == "ConnectionError: db refused the connection"

        await eventually(failed)
        assert await lab.names(DEPLOYMENT) == set()

        async def again() -> bool:
            return only(await engine.apply(plan, lab.owner)).actions[0].state is ActionState.RUNNING

        await eventually(again)
        await lab.end_job("claim")
        await lab.settle(engine, plan)

    assert await lab.names(DEPLOYMENT) == {"w"}


async def test_an_action_has_done_its_work_though_a_sidecar_goes_on(lab: Lab) -> None:
    """A service mesh adds a container that never ends, and the Job is at work for ever."""
    plan = plan_of(Unit("a", actions=(lab.action("a/x", "claim"),), run=(lab.workload("w"),)))
    async with lab.engine() as engine:
        await engine.apply(plan, lab.owner)
        await lab.end_job("claim", sidecar=True)
        await lab.settle(engine, plan)


async def test_an_action_that_failed_says_why_and_runs_again_though_a_sidecar_goes_on(lab: Lab) -> None:
    plan = plan_of(Unit("a", actions=(lab.action("a/x", "claim"),), run=(lab.workload("w"),)))
    async with lab.engine() as engine:
        await engine.apply(plan, lab.owner)
        first = await lab.get(JOB, "claim")
        await lab.end_job("claim", 1, "PermissionError: refused", sidecar=True)
        seen = set[str]()

        async def again() -> bool:
            (action,) = only(await engine.apply(plan, lab.owner)).actions
            seen.add(action.message)
            live = await lab.get(JOB, "claim")
            return bool(first and live and live["metadata"]["uid"] != first["metadata"]["uid"])

        await eventually(again)
        assert "PermissionError: refused" in seen
        await lab.end_job("claim", sidecar=True)
        await lab.settle(engine, plan)


async def test_a_failed_action_asks_for_a_pass_when_its_turn_comes(lab: Lab) -> None:
    plan = plan_of(Unit("a", actions=(lab.action("a/x", "claim"),)))
    async with lab.engine(retry_base=30.0) as engine:
        await engine.apply(plan, lab.owner)
        await lab.end_job("claim", 1)

        async def waits() -> bool:
            return 0 < (await engine.apply(plan, lab.owner)).retry_after <= 30

        await eventually(waits)


async def test_a_changed_action_runs_and_its_old_job_goes(lab: Lab) -> None:
    async with lab.engine() as engine:
        old = plan_of(Unit("a", actions=(lab.action("a/x", "claim-old"),)))
        await engine.apply(old, lab.owner)
        await lab.end_job("claim-old")
        await lab.settle(engine, old)
        new = plan_of(Unit("a", actions=(lab.action("a/x", "claim-new"),)))

        async def replaced() -> bool:
            await engine.apply(new, lab.owner)
            return await lab.names(JOB) == {"claim-new"}

        await eventually(replaced)


async def test_a_running_unit_is_kept_from_drifting_while_its_provider_is_down(lab: Lab) -> None:
    units = (Unit("db", run=(lab.workload("db", unit="db"),)), Unit("app", after=("db",), run=(lab.workload("app"),)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(*units))
        broken = Unit("db", run=(lab.workload("db", unit="db", image="two"),))  # its new pod doesn't come up
        app = await lab.get(DEPLOYMENT, "app")
        assert app
        (await lab.client.delete(units[1].run[0].ref, app["metadata"]["uid"])).result()

        async def repaired() -> bool:
            outcome = await engine.apply(plan_of(broken, units[1]), lab.owner)
            assert not outcome.units["db"].healthy
            return "app" in await lab.names(DEPLOYMENT)

        await eventually(repaired)
        changed = Unit("app", after=("db",), run=(lab.workload("app", image="two"),))
        outcome = await engine.apply(plan_of(broken, changed), lab.owner)

    assert outcome.units["app"].waiting_for == ("db",)
    live = await lab.get(DEPLOYMENT, "app")
    assert live and live["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/one:1"


async def test_a_suspended_unit_is_not_touched(lab: Lab) -> None:
    step = lab.config("c", k="1")
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        lab.calls.clear()
        outcome = await engine.apply(plan_of(Unit("a", prepare=(lab.config("c", k="2"),), suspended=True)), lab.owner)

    assert only(outcome).suspended
    assert only(outcome).healthy
    assert not lab.calls


async def test_an_action_that_blocks_nothing_runs_beside_the_workloads(lab: Lab) -> None:
    """A share that only pods spawned later use: workloads start without it, and the unit isn't complete without it."""
    provider = Unit("late", run=(lab.workload("late", unit="late"),))
    action = replace(lab.action("app/late", "claim", unit="app", after=("late",)), blocking=False)
    consumer = Unit("app", actions=(action,), run=(lab.workload("app", unit="app"),))
    async with lab.engine() as engine:
        outcome = await engine.apply(plan_of(provider, consumer), lab.owner)

        assert await lab.names(DEPLOYMENT) == {"late", "app"}
        assert await lab.names(JOB) == set()
        assert outcome.units["app"].waiting_for == ("late",)
        assert not outcome.units["app"].healthy


async def test_actions_that_exclude_each_other_run_one_after_the_other(lab: Lab) -> None:
    """Two claims at once would change a provider's list of users at the same time."""
    first = replace(lab.action("a/db", "one", unit="a"), exclusive="db")
    second = replace(lab.action("b/db", "two", unit="b"), exclusive="db")
    plan = plan_of(Unit("a", actions=(first,)), Unit("b", actions=(second,)))
    async with lab.engine() as engine:
        await engine.apply(plan, lab.owner)
        assert await lab.names(JOB) == {"one"}
        await engine.apply(plan, lab.owner)
        assert await lab.names(JOB) == {"one"}
        await lab.end_job("one")

        async def followed() -> bool:
            await engine.apply(plan, lab.owner)
            return await lab.names(JOB) == {"one", "two"}

        await eventually(followed)


async def test_a_changed_claim_waits_until_its_predecessor_has_ended(lab: Lab) -> None:
    """Both would work on one provider's list of users: the old Job is taken away first, pods and all."""
    old = replace(lab.action("a/db", "old"), exclusive="db")
    new = plan_of(Unit("a", actions=(replace(lab.action("a/db", "new"), exclusive="db"),)))
    async with lab.engine() as engine:
        await engine.apply(plan_of(Unit("a", actions=(old,))), lab.owner)
        first = await engine.apply(new, lab.owner)
        assert only(first).actions[0].state is ActionState.PENDING
        assert first.retry_after > 0
        assert "new" not in await lab.names(JOB)

        async def followed() -> bool:
            jobs = await lab.names(JOB)
            assert jobs != {"old", "new"}
            await engine.apply(new, lab.owner)
            return await lab.names(JOB) == {"new"}

        await eventually(followed)


async def test_a_unit_that_leaves_stays_until_its_users_get_on_without_it(lab: Lab) -> None:
    provider = Unit("db", run=(lab.workload("db", unit="db"),))
    user = Unit("app", after=("db",), run=(lab.workload("app", unit="app"),))
    claim = lab.action("app/postgres", "claim-elsewhere", unit="app")
    moved = Unit("app", actions=(claim,), run=(lab.workload("app", unit="app", image="moved"),))
    leaving = plan_of(moved, leaving={"db": ("app",)})
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(provider, user))
        await engine.apply(leaving, lab.owner)
        await engine.apply(leaving, lab.owner)
        assert await lab.names(DEPLOYMENT) == {"db", "app"}, "the app runs on what it had"
        await lab.end_job("claim-elsewhere")

        async def left() -> bool:
            await lab.play_kubelet()
            await engine.apply(leaving, lab.owner)
            return await lab.names(DEPLOYMENT) == {"app"}

        await eventually(left)


async def test_what_was_replaced_ends_once_no_pod_can_use_it(lab: Lab) -> None:
    """A former pod goes on with its last requests after it was told to end."""
    plan = plan_of(Unit("a", run=(lab.workload("w"),), cleanup=(lab.action("a/x/retire", "retire"),)))
    former = {"apiVersion": "v1", "kind": "Pod", **lab.pod({}, "a", "former")}
    former["metadata"] |= {"name": "former", "namespace": lab.namespace, "finalizers": ["example.com/busy"]}
    made = (await lab.client.create(former)).result()
    await lab.client.delete(ref_of(former), made["metadata"]["uid"])
    async with lab.engine() as engine:

        async def healthy() -> bool:
            await lab.play_kubelet()
            return bool(only(await engine.apply(plan, lab.owner)).cleanup)

        await eventually(healthy)
        outcome = only(await engine.apply(plan, lab.owner))
        assert [action.state for action in outcome.cleanup] == [ActionState.PENDING]
        assert await lab.names(JOB) == set()
        (await lab.client.merge(ref_of(former), {"metadata": {"finalizers": None}})).result()
        await eventually(lambda: _started(lab, engine, plan))


async def _started(lab: Lab, engine: Engine, plan: Plan) -> bool:
    await engine.apply(plan, lab.owner)
    return await lab.names(JOB) == {"retire"}
