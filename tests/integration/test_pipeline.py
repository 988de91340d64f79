"""The pipeline on the real API server: from an AIStack to its objects and status, and back.

No kubelet runs here, so the test reports pods as running and Jobs as done in its place (`stacklab.py`). That real
pods do run is shown by tests/e2e.
"""

from __future__ import annotations

import base64
from unittest.mock import patch

import pytest

from aistack.api.group import FINALIZER
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectRef, ref_of
from tests.integration.stacklab import StackLab, condition, said
from tests.toy import plan

pytestmark = pytest.mark.integration

READY = ("True", "False", "Healthy")


async def test_a_stack_becomes_objects_and_a_status(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        live = await lab.converge(operator)

    assert said(live) == READY
    assert live["metadata"]["finalizers"] == [FINALIZER]
    status = live["status"]
    assert status["observedGeneration"] == live["metadata"]["generation"] == 1
    assert status["componentsReady"] == "3/3"
    assert {c["name"]: c["phase"] for c in status["components"]} == {"db": "Ready", "store": "Ready", "web": "Ready"}
    assert {(e["from"], e["to"], e["contract"], e["state"]) for e in status["edges"]} == {
        ("web", "db", "sql", "Proven"),
        ("web", "store", "blob", "Proven"),
    }
    assert status["footprint"] == {"cpu": "500m", "memory": "1216Mi", "storage": "5Gi", "pods": 6}
    for ref in plan(namespace=lab.namespace).plan.refs():
        assert await lab.get(ref.kind, ref.name), ref


async def test_nothing_runs_before_what_it_needs(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        live = await lab.reconcile(operator)
        assert await lab.get("Deployment", "demo-db")
        assert await lab.get("Deployment", "demo-web") is None
        assert await lab.get("Secret", "demo-web-sql-1"), "what needs nobody is prepared at once"
        phases = {c["name"]: (c["phase"], c.get("message")) for c in live["status"]["components"]}
        assert phases["web"] == ("Pending", "waits for db, store"), "its own database, and its workers' bucket"
        assert condition(live, "Reconciling")["status"] == "True"


async def test_the_finalizer_is_there_before_the_first_object(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    seen: list[tuple[str, str]] = []
    lab.client.hooks.append(lambda call: seen.append((call.verb, call.kind)) if call.status else None)
    async with lab.operator() as operator:
        await lab.reconcile(operator)
    writes = [(verb, kind) for verb, kind in seen if verb in ("create", "apply", "patch", "update")]
    assert writes[0] == ("patch", "AIStack"), writes[:3]


async def test_a_second_pass_over_a_settled_stack_writes_nothing_and_asks_nothing(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        live = await lab.converge(operator)
        await lab.reconcile(operator)
        before = await lab.versions()
        live = await lab.live()
        lab.calls.clear()
        after, delay = await operator.reconcile(live)
        assert dict(lab.calls) == {}
        assert 0 < delay <= 3600, "the next proof"
        assert after == live
        assert await lab.versions() == before


async def test_a_new_operator_over_a_settled_stack_writes_nothing(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await lab.reconcile(operator)
    before, stack = await lab.versions(), await lab.live()
    async with lab.operator() as operator:
        lab.calls.clear()
        await lab.reconcile(operator)
        await lab.reconcile(operator)
        assert lab.writes() == {}
    assert await lab.versions() == before
    assert await lab.live() == stack


async def test_a_changed_value_rolls_what_uses_it_and_nothing_else(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        before = await lab.versions()
        await lab.change("{profile: toy, components: [{name: web, values: {theme: {colour: dark}}}]}")
        await lab.converge(operator)
        changed = {name for name, version in (await lab.versions()).items() if before.get(name) != version}
    assert {name.split("/")[-1] for name in changed} <= {"demo-web", "demo-web-config"}
    assert any("ConfigMap" in name for name in changed)


async def test_a_suspended_stack_is_left_as_it_is(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await lab.change("{profile: toy, suspend: true, size: large}")
        before = await lab.versions()
        live = await lab.reconcile(operator)
        assert said(live) == ("False", "False", "Suspended")
        assert await lab.versions() == before
        await lab.change("{profile: toy}")
        assert said(await lab.converge(operator)) == READY


async def test_a_suspended_component_is_left_as_it_is_and_the_others_go_on(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        old = await lab.must("Deployment", "demo-store")
        await lab.change("{profile: toy, labels: {example.com/team: ml}, components: [{name: store, suspend: true}]}")
        live = await lab.settle(operator, "2 of 3 components are ready; store: left as it is")
        assert said(live) == ("False", "False", "Suspended")
        assert (await lab.must("Deployment", "demo-store"))["spec"] == old["spec"]
        assert "example.com/team" in (await lab.must("Deployment", "demo-db"))["metadata"]["labels"]


async def test_a_child_edited_or_deleted_by_hand_is_put_back(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        service, config = await lab.must("Service", "demo-db"), await lab.must("ConfigMap", "demo-web-config")
        async with await lab.lab.stranger() as stranger:
            await stranger.delete(ref_of(service), service["metadata"]["uid"])
            edited = {"data": {"settings.json": "{}"}}
            (await stranger.merge(ref_of(config), edited)).result()

        async def healed() -> bool:
            await lab.reconcile(operator)
            now = await lab.get("ConfigMap", "demo-web-config")
            return bool(await lab.get("Service", "demo-db")) and now is not None and now["data"] == config["data"]

        assert await lab.eventually(healed, lambda done: done)
        assert said(await lab.converge(operator)) == READY


async def password(lab: StackLab, secret: str) -> bytes:
    return base64.b64decode((await lab.must("Secret", secret))["data"]["password"])


async def test_a_lost_secret_is_made_anew_and_rolls_its_consumers_alone(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        secret, store = await lab.must("Secret", "demo-web-sql-1"), await lab.must("Deployment", "demo-store")
        old = await password(lab, "demo-web-sql-1")
        await lab.client.delete(ref_of(secret), secret["metadata"]["uid"])

        async def renewed() -> bool:
            await lab.reconcile(operator)
            await lab.play()
            return bool(await lab.get("Secret", "demo-web-sql-2"))

        await lab.eventually(renewed, lambda done: done)
        assert said(await lab.converge(operator)) == READY
        assert await password(lab, "demo-web-sql-2") != old
        assert "demo-web-sql-2" in str((await lab.must("Deployment", "demo-web"))["spec"])
        assert (await lab.must("Deployment", "demo-store"))["spec"] == store["spec"]


async def test_deleting_with_retain_keeps_data_and_a_new_stack_takes_it_up_again(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        volume, old = (
            await lab.must("PersistentVolumeClaim", "demo-db-data"),
            await password(lab, "demo-db-sql-admin-1"),
        )
        await lab.delete()
        await lab.vanish(operator)
        assert await lab.get("Deployment", "demo-db") is None
        assert await lab.get("Service", "demo-db") is None
        kept = await lab.must("PersistentVolumeClaim", "demo-db-data")
        assert kept["metadata"]["labels"]["aistack.dev/retained-from"] == "demo"

        await lab.create("{profile: toy}")
        assert said(await lab.converge(operator)) == READY
        again = await lab.must("PersistentVolumeClaim", "demo-db-data")
        assert again["metadata"]["uid"] == volume["metadata"]["uid"]
        assert "aistack.dev/retained-from" not in again["metadata"]["labels"]
        assert await password(lab, "demo-db-sql-admin-1") == old


async def test_a_volume_that_never_came_doesnt_hold_a_new_stack_to_its_class(lab: StackLab) -> None:
    await lab.create("{profile: toy, storage: {className: fsat}}")
    async with lab.operator() as operator:
        await lab.reconcile(operator)
        await lab.delete()
        await lab.vanish(operator)
        assert (await lab.must("PersistentVolumeClaim", "demo-db-data"))["spec"]["storageClassName"] == "fsat"

        await lab.create("{profile: toy, storage: {className: fast}}")
        assert said(await lab.converge(operator)) == READY
        assert (await lab.must("PersistentVolumeClaim", "demo-db-data"))["spec"]["storageClassName"] == "fast"


async def test_deleting_with_delete_leaves_nothing(lab: StackLab) -> None:
    await lab.create("{profile: toy, deletionPolicy: Delete}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await lab.delete()
        await lab.vanish(operator)
    assert [name for name in await lab.versions() if "/demo-" in name] == []


async def test_deleting_leaves_nothing_even_if_the_operator_forgot_what_it_made(lab: StackLab) -> None:
    await lab.create("{profile: toy, deletionPolicy: Delete}")
    async with lab.operator() as operator:
        await lab.converge(operator)
    inventory = ObjectRef("v1", "ConfigMap", lab.system, f"inventory.{lab.namespace}.{lab.name}")
    stored = (await lab.client.get(inventory)).result()
    await lab.client.delete(inventory, stored["metadata"]["uid"])
    async with lab.operator() as operator:
        await lab.delete()
        await lab.vanish(operator)
    assert [name for name in await lab.versions() if "/demo-" in name] == []


async def test_a_deletion_that_cannot_begin_says_why(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await lab.delete()
        blind = patch.object(operator.engine, "delete", side_effect=ClusterError("list roles: HTTP 500", 500))
        with blind, pytest.raises(ClusterError):
            await operator.reconcile(await lab.live())
        assert "list roles: HTTP 500" in (await lab.live())["status"]["message"]
        await lab.vanish(operator)


async def test_a_component_that_leaves_keeps_its_data_as_the_policy_says(lab: StackLab) -> None:
    await lab.create("{components: [{name: db}, {name: store}]}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await lab.change("{components: [{name: store}]}")
        await lab.converge(operator)

        async def left() -> bool:
            await lab.reconcile(operator)
            return await lab.get("Deployment", "demo-db") is None

        await lab.eventually(left, lambda done: done)
        assert await lab.get("PersistentVolumeClaim", "demo-db-data")
        assert await lab.get("Secret", "demo-db-sql-admin-1")


async def test_a_wrong_spec_can_still_be_deleted(lab: StackLab) -> None:
    await lab.create("{components: [{name: db}]}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        await lab.change("{components: [{name: db, values: {nonsense: 1}}]}")
        live = await lab.reconcile(operator)
        assert said(live)[1:] == ("True", "InvalidSpec")
        await lab.delete()
        await lab.vanish(operator)
    assert await lab.get("Deployment", "demo-db") is None
    assert await lab.get("PersistentVolumeClaim", "demo-db-data"), "the policy is Retain unless it says otherwise"
