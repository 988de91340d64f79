"""Pruning and deletion: only what is ours goes, in order; data stays where that is asked for, and is found again."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from aistack.cluster.replies import Reply
from aistack.errors import ForeignObjectError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.objects.outcome import Verb
from aistack.objects.plan import ApplyObject, SecretRecord, Unit
from aistack.objects.recipes import Generate, recipe_hash
from tests.integration.cluster.lab import (
    CONFIG,
    DEPLOYMENT,
    POD,
    RETAINED,
    SECRET,
    SPAWNED,
    STACK,
    UNIT,
    VOLUME,
    Lab,
    eventually,
    only,
    plan_of,
)

pytestmark = pytest.mark.integration

RECIPES = {"p": Generate(8)}


def with_data(lab: Lab) -> Unit:
    return Unit("a", prepare=(lab.config("c"), lab.volume("v"), lab.secret("s", RECIPES)), run=(lab.workload("w"),))


async def stored(lab: Lab) -> bool:
    """Whether the cluster has an inventory of the owner."""
    return f"inventory.{lab.namespace}.{lab.name}" in await replace(lab, namespace=lab.system).names(CONFIG)


async def uids(lab: Lab) -> dict[str, str]:
    found = {}
    for kind, name in ((VOLUME, "v"), (SECRET, "s-1")):
        live = await lab.get(kind, name)
        assert live
        found[name] = live["metadata"]["uid"]
    return found


async def test_what_a_unit_no_longer_has_goes_once_it_is_healthy_without(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("old"),), run=(lab.workload("w"),))))
        plan = plan_of(Unit("a", prepare=(lab.config("new"),), run=(lab.workload("w", image="two"),)))
        first = await engine.apply(plan, lab.owner)
        assert not first.removed
        assert await lab.names(CONFIG) >= {"old", "new"}
        last = await lab.settle(engine, plan)

    assert [(o.ref.name, o.verb) for o in last.removed] == [("old", Verb.DELETED)]
    assert "old" not in await lab.names(CONFIG)


@pytest.mark.parametrize(("retain_data", "left"), [(True, {"v"}), (False, set())], ids=["kept", "not kept"])
async def test_a_removed_unit_goes_and_its_data_stays_if_asked(lab: Lab, retain_data: bool, left: set[str]) -> None:
    other = Unit("b", prepare=(lab.config("d", unit="b"),))
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(with_data(lab), other))
        plan = plan_of(other, retain_data=retain_data)

        async def pruned() -> bool:
            assert (await engine.apply(plan, lab.owner)).settled
            return await lab.names(VOLUME) == left and "c" not in await lab.names(CONFIG)

        await eventually(pruned)

    assert await lab.names(DEPLOYMENT) == set()
    assert await lab.names(SECRET) == ({"s-1"} if retain_data else set())


async def test_data_that_a_planned_unit_no_longer_has_is_kept_as_well(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(with_data(lab)))
        plan = plan_of(Unit("a", prepare=(lab.config("c"), lab.secret("s", RECIPES))))

        async def kept() -> bool:
            removed = (await engine.apply(plan, lab.owner)).removed
            return ("v", Verb.RETAINED) in {(o.ref.name, o.verb) for o in removed}

        await eventually(kept)
    volume = await lab.get(VOLUME, "v")
    assert volume and volume["metadata"]["labels"][RETAINED] == lab.name


async def test_a_secret_that_a_planned_unit_no_longer_has_is_kept_as_well(lab: Lab) -> None:
    """Unlike an old generation, which another one replaced."""
    other = lab.secret("t", RECIPES)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.secret("s", RECIPES), other))))
        outcome = await engine.apply(plan_of(Unit("a", prepare=(lab.secret("s", RECIPES),))), lab.owner)

    assert [(o.ref.name, o.verb) for o in outcome.removed] == [("t-1", Verb.RETAINED)]
    assert await lab.names(SECRET) == {"s-1", "t-1"}


async def test_an_object_stays_when_the_plan_asks_for_it_in_another_version_of_its_kind(lab: Lab) -> None:
    older, newer = (ObjectKind(f"flexible.example/{version}", "Gizmo") for version in ("v1beta1", "v1"))
    await lab.define(older, newer)
    gizmos = [
        ApplyObject({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": lab.meta("g", "a")})
        for kind in (older, newer)
    ]
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(gizmos[0],))))
        before = await lab.get(newer, "g")
        outcome = await lab.settle(engine, plan_of(Unit("a", prepare=(gizmos[1],))))
        assert not outcome.removed
        after = await lab.get(newer, "g")
        assert before and after and after["metadata"]["uid"] == before["metadata"]["uid"]
        await lab.remove(engine, retain=False)
    assert await lab.get(newer, "g") is None


async def test_deleted_with_retain_and_made_again_it_finds_its_data(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(with_data(lab)))
        before = await uids(lab)
        await lab.remove(engine, retain=True)
        assert await uids(lab) == before
        assert "c" not in await lab.names(CONFIG)
    for kind, name in ((VOLUME, "v"), (SECRET, "s-1")):
        live = await lab.get(kind, name)
        assert live and live["metadata"]["labels"][RETAINED] == lab.name

    async with lab.engine() as engine:
        assert (await engine.observe(lab.owner)).secrets == {"s": SecretRecord(1, recipe_hash(RECIPES), True)}
        await lab.settle(engine, plan_of(with_data(lab)))
    assert await uids(lab) == before
    for kind, name in ((VOLUME, "v"), (SECRET, "s-1")):
        live = await lab.get(kind, name)
        assert live and RETAINED not in live["metadata"]["labels"]


async def test_retained_data_is_found_again_even_without_an_inventory(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(with_data(lab)))
        before = await uids(lab)
        await lab.remove(engine, retain=True)
    async with lab.engine(namespace="kube-public") as engine:
        assert (await engine.observe(lab.owner)).secrets == {"s": SecretRecord(1, recipe_hash(RECIPES), True)}
        await lab.settle(engine, plan_of(with_data(lab)))
    assert await uids(lab) == before


async def test_another_owner_never_takes_retained_data(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(with_data(lab)))
        before = await uids(lab)
        await lab.remove(engine, retain=True)
    other = replace(lab, name="other", calls=lab.calls)
    async with lab.engine() as engine:
        assert (await engine.observe(other.owner)).secrets == {}
        outcome = await engine.apply(plan_of(with_data(other)), other.owner)

    assert {type(error) for error in only(outcome).errors} == {ForeignObjectError}
    assert len(only(outcome).errors) == 2
    assert await uids(lab) == before
    volume = await lab.get(VOLUME, "v")
    assert volume and volume["metadata"]["labels"][STACK] == lab.name


async def test_deleted_without_retain_nothing_is_left(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(with_data(lab)))
        await lab.remove(engine, retain=True)
        assert await stored(lab)
        await lab.remove(engine, retain=False)

    assert await lab.names(VOLUME) == await lab.names(SECRET) == await lab.names(DEPLOYMENT) == set()
    assert not await stored(lab)


async def test_consumers_go_before_their_providers_and_it_says_what_it_waits_for(lab: Lab) -> None:
    held = lab.config("held", unit="b")
    held.manifest["metadata"]["finalizers"] = ["demo.example/hold"]
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c"),)), Unit("b", prepare=(held,))))
        progress = await engine.delete(lab.owner, retain=False)
        assert progress.waiting_for == (
            f"ConfigMap {lab.namespace}/held (is being deleted, held by demo.example/hold)",
        )
        assert "c" in await lab.names(CONFIG)
        (await lab.client.merge(held.ref, {"metadata": {"finalizers": None}})).result()
        await lab.remove(engine, retain=False)

    assert "c" not in await lab.names(CONFIG)


async def test_an_object_made_by_somebody_else_in_place_of_ours_stays(lab: Lab) -> None:
    step = lab.config("c")
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        live = await lab.get(CONFIG, "c")
        assert live
        (await lab.client.delete(step.ref, live["metadata"]["uid"])).result()
        async with await lab.stranger() as stranger:
            (await stranger.create(step.manifest)).result()
        await lab.remove(engine, retain=False)

    assert "c" in await lab.names(CONFIG)


@pytest.mark.parametrize("held", [False, True], ids=["gone at once", "held by a finalizer"])
async def test_an_object_that_lost_its_label_goes_too(lab: Lab, held: bool) -> None:
    step = lab.config("c")
    if held:
        step.manifest["metadata"]["finalizers"] = ["demo.example/hold"]
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        async with await lab.stranger() as stranger:
            (await stranger.merge(step.ref, {"metadata": {"labels": {STACK: None}}})).result()

        async def lost() -> bool:
            return not (await engine.observe(lab.owner)).objects

        await eventually(lost)
        progress = await engine.delete(lab.owner, retain=False)
        assert progress.done is not held
        assert bool(progress.retry_after) is held, "no watch tells when it is gone"
        if held:
            (await lab.client.merge(step.ref, {"metadata": {"finalizers": None}})).result()
            await lab.remove(engine, retain=False)

    assert "c" not in await lab.names(CONFIG)


async def test_a_kind_that_is_gone_does_not_hold_a_deletion(lab: Lab) -> None:
    kind = ObjectKind("gone.example/v1", "Gadget")
    crd = await lab.define(kind)
    gadget: Manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": lab.meta("g", "a")}
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.config("c"), ApplyObject(gadget)))))
        live = await lab.get(ObjectKind(crd.api_version, crd.kind), crd.name, "")
        assert live
        (await lab.client.delete(crd, live["metadata"]["uid"])).result()

        async def gone() -> bool:
            return await lab.get(ObjectKind(crd.api_version, crd.kind), crd.name, "") is None

        await eventually(gone)
        await lab.remove(engine, retain=False)

    assert "c" not in await lab.names(CONFIG)
    async with lab.engine() as engine:  # and after a restart it isn't missed
        assert (await engine.delete(lab.owner, retain=False)).done


async def test_a_terminating_namespace_does_not_hold_a_deletion(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(with_data(lab)))
        namespace = await lab.get(ObjectKind("v1", "Namespace"), lab.namespace, "")
        assert namespace
        await lab.client.delete(_namespace(lab), namespace["metadata"]["uid"])
        await lab.remove(engine, retain=True)

        async def gone() -> bool:
            # What was kept goes with the namespace; the inventory follows at the next look.
            await engine.delete(lab.owner, retain=True)
            return await lab.get(ObjectKind("v1", "Namespace"), lab.namespace, "") is None and not await stored(lab)

        await eventually(gone)


def _namespace(lab: Lab) -> ObjectRef:
    return ObjectRef("v1", "Namespace", "", lab.namespace)


@pytest.mark.parametrize(
    ("retain", "left"),
    [pytest.param(True, {"home"}, id="Retain keeps homes"), pytest.param(False, set(), id="Delete removes them")],
)
async def test_what_a_tool_spawned_goes_with_its_unit(lab: Lab, retain: bool, left: set[str]) -> None:
    """A hub makes pods and home volumes that no plan names; somebody else's pod in the namespace stays."""
    hub, other = Unit("hub", run=(lab.workload("hub", unit="hub"),)), Unit("b", prepare=(lab.config("c", unit="b"),))
    async with lab.engine() as engine, await lab.stranger() as stranger:
        await lab.settle(engine, plan_of(hub, other))
        for name, marks in (("notebook", {SPAWNED: "true"}), ("bystander", {})):
            labels = {**lab.owner.labels, UNIT: "hub", **marks}
            pod = lab.pod({}, "hub", "notebook")
            manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": lab.namespace}}
            manifest["metadata"]["labels"] = labels
            (await stranger.create({**manifest, "spec": pod["spec"]})).result()
        home = lab.volume("home", unit="hub").manifest
        home["metadata"]["labels"] |= {SPAWNED: "true"}
        (await stranger.create(home)).result()

        async def gone() -> bool:
            await engine.apply(replace(plan_of(other), retain_data=retain), lab.owner)
            return "notebook" not in await lab.names(POD) and await lab.names(VOLUME) == left

        await eventually(gone)
        assert "bystander" in await lab.names(POD)


async def test_home_volumes_go_as_well_when_the_pods_were_gone_already(lab: Lab) -> None:
    """Then there is nothing to wait for: no news of the pods brings another pass."""
    pod = {**lab.pod({}, "hub", "notebook"), "apiVersion": "v1", "kind": "Pod"}
    pod["metadata"] = {"name": "notebook", "namespace": lab.namespace, "labels": spawned_labels(lab)}
    home = lab.volume("home", unit="hub").manifest
    home["metadata"]["labels"] = spawned_labels(lab)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("hub", prepare=(lab.config("c", unit="hub"),))))
    delete = lab.client.delete

    async def too_late(ref: ObjectRef, uid: str, propagation: str = "Background") -> Reply:
        if ref.kind == "Pod":
            await delete(ref, uid)
        return await delete(ref, uid, propagation)

    async with await lab.stranger() as stranger:
        for manifest in (pod, home):
            (await stranger.create(manifest)).result()
    async with lab.engine() as engine:
        with patch.object(lab.client, "delete", too_late):
            await engine.delete(lab.owner, retain=False)

    assert lab.calls["delete", "PersistentVolumeClaim"] == 1


def spawned_labels(lab: Lab) -> dict[str, str]:
    return {**lab.owner.labels, UNIT: "hub", SPAWNED: "true"}
