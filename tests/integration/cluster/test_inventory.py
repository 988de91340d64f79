"""The inventory: written ahead, lost, stale, written by somebody else."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from aistack.cluster.inventories import Inventories
from aistack.cluster.records import PLAIN
from aistack.cluster.replies import Reply
from aistack.cluster.settings import JOB
from aistack.cluster.transport import Call
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.objects.outcome import Verb
from aistack.objects.plan import Unit
from tests.integration.cluster.lab import CONFIG, DEPLOYMENT, SECRET, Killed, Lab, only, plan_of

pytestmark = pytest.mark.integration


def inventory_ref(lab: Lab) -> ObjectRef:
    return ObjectRef("v1", "ConfigMap", lab.system, f"inventory.{lab.namespace}.{lab.name}")


async def lose(lab: Lab) -> None:
    live = await lab.get(CONFIG, inventory_ref(lab).name, lab.system)
    assert live
    (await lab.client.delete(inventory_ref(lab), live["metadata"]["uid"])).result()


async def test_a_lost_inventory_is_made_anew_from_labels_and_managers(lab: Lab) -> None:
    plan = plan_of(lab.everything(k="v"))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
    before = await lab.versions(CONFIG, SECRET)
    await lose(lab)
    async with lab.engine() as engine:
        observed = await engine.observe(lab.owner)
        outcome = await lab.settle(engine, plan)

    assert observed.secrets["s"].generation == 1
    assert {o.verb for o in only(outcome).objects} == {Verb.UNCHANGED}
    assert await lab.versions(CONFIG, SECRET) == before
    assert await lab.get(CONFIG, inventory_ref(lab).name, lab.system)


async def test_jobs_that_have_other_uids_than_a_restored_inventory_says_are_known_anew(lab: Lab) -> None:
    step = lab.action("a/x", "claim")
    plan = plan_of(Unit("a", actions=(step,)))
    async with lab.engine() as engine:
        await engine.apply(plan, lab.owner)
        await lab.end_job(step.ref.name)
        await lab.settle(engine, plan)
    job = await lab.get(JOB, step.ref.name)
    stored = await lab.get(CONFIG, inventory_ref(lab).name, lab.system)
    assert job
    assert stored
    uid, text = job["metadata"]["uid"], stored["data"][PLAIN]
    older = {"data": {PLAIN: text.replace(uid, "11111111-2222-3333-4444-555555555555")}}
    (await lab.client.merge(inventory_ref(lab), older)).result()
    async with lab.engine() as engine:
        await lab.settle(engine, plan)

    stored = await lab.get(CONFIG, inventory_ref(lab).name, lab.system)
    assert stored
    assert stored["data"][PLAIN] == text
    assert uid == (await lab.get(JOB, step.ref.name) or {})["metadata"]["uid"], "it didn't run again"


async def test_what_a_lost_inventory_knew_is_still_pruned(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c"), lab.config("old")))))
    await lose(lab)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c"),))))

    assert await lab.names(CONFIG) & {"c", "old"} == {"c"}


async def test_what_a_lost_inventory_knew_is_still_deleted(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(lab.everything(k="v")))
    await lose(lab)
    async with lab.engine() as engine:
        await lab.remove(engine, retain=False)

    assert await lab.names(DEPLOYMENT) == await lab.names(SECRET) == set()
    assert "c" not in await lab.names(CONFIG)


async def test_intentions_are_stored_before_the_first_object(lab: Lab) -> None:
    def strike(call: Call) -> None:
        if call.verb == "apply":
            raise Killed

    lab.client.hooks.append(strike)
    with pytest.raises(BaseExceptionGroup):
        async with lab.engine() as engine:
            await engine.apply(plan_of(Unit("a", prepare=(lab.config("c"),))), lab.owner)

    stored = await lab.get(CONFIG, inventory_ref(lab).name, lab.system)
    assert stored and f"v1|ConfigMap|{lab.namespace}|c" in stored["data"]["objects.json"]
    assert await lab.get(CONFIG, "c") is None


async def test_a_second_operator_cannot_overwrite_the_first_ones_memory(lab: Lab) -> None:
    async with lab.engine() as first, lab.engine() as second:
        await first.apply(plan_of(Unit("a", prepare=(lab.config("c"),))), lab.owner)
        with pytest.raises(ClusterError) as refused:
            await second.apply(plan_of(Unit("a", prepare=(lab.config("d"),))), lab.owner)
        assert refused.value.status == 409
        assert await lab.get(CONFIG, "d") is None
        assert (await second.apply(plan_of(Unit("a", prepare=(lab.config("d"),))), lab.owner)).settled


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"data": {"objects.json": "{"}}, id="cut off"),
        pytest.param({"metadata": {"annotations": None}}, id="nobody's"),
    ],
)
async def test_a_damaged_inventory_holds_up_its_owner_alone(lab: Lab, damage: Manifest) -> None:
    other = replace(lab, name="other", calls=lab.calls)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(lab.everything()))
        await engine.apply(plan_of(Unit("a", prepare=(other.config("d"),))), other.owner)
    await lab.client.merge(inventory_ref(lab), damage)
    paths: list[str] = []
    lab.client.hooks.append(lambda call: paths.append(call.path))
    async with lab.engine() as engine:
        assert (await engine.apply(plan_of(Unit("a", prepare=(other.config("d"),))), other.owner)).settled
        assert not lab.writes()
        assert "/api/v1/secrets" not in paths, "Secrets are never listed cluster-wide"
        if "data" in damage:
            with pytest.raises(ClusterError, match=r"unreadable inventory|unexpected end"):
                await engine.observe(lab.owner)


async def test_an_inventory_that_cannot_be_deleted_is_not_forgotten(lab: Lab) -> None:
    delete = lab.client.delete

    async def fails(ref: ObjectRef, uid: str, propagation: str = "Background") -> Reply:
        return Reply(500, {}, f"delete {ref}") if ref == inventory_ref(lab) else await delete(ref, uid, propagation)

    async with lab.engine() as engine:
        await engine.apply(plan_of(Unit("a", prepare=(lab.config("c"),))), lab.owner)
        with patch.object(lab.client, "delete", fails), pytest.raises(ClusterError, match="HTTP 500"):
            await engine.delete(lab.owner, retain=False)
        await lab.remove(engine, retain=False)

    assert await lab.get(CONFIG, inventory_ref(lab).name, lab.system) is None


async def test_no_value_of_a_secret_is_in_it(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(lab.everything(k="v")))
    secret, stored = await lab.get(SECRET, "s-1"), await lab.get(CONFIG, inventory_ref(lab).name, lab.system)

    assert secret and stored
    assert secret["data"]["p"] not in str(stored)


async def test_inventories_are_read_page_by_page(lab: Lab) -> None:
    owners = [replace(lab.owner, name=f"{lab.name}-{number}") for number in range(3)]
    inventories = Inventories(lab.client, lab.settings)
    for owner in owners:
        inventory = await inventories.load(owner)
        inventory.update(ObjectRef("v1", "ConfigMap", lab.namespace, owner.name), uid="u")
        await inventories.save(owner)

    with patch("aistack.cluster.inventories.PAGE", "2"):
        found = dict(await Inventories(lab.client, lab.settings).load_all())

    assert {owner.key for owner in owners} <= found.keys()
    assert all([ref.name for ref in found[owner.key].records] == [owner.name] for owner in owners)
