"""AIBindings: an app's share is made, proven and named; deleting the binding ends it. The kubelet alone is played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.pipeline import Pipeline
from tests.cluster.controlplane import ControlPlane
from tests.integration.stacklab import StackLab, condition, edges, stack_lab

pytestmark = pytest.mark.integration

DB = "{components: [{name: db}]}"
API = "aistack.dev/v1alpha1"
JOB, SECRET, POLICY = (
    ObjectKind("batch/v1", "Job"),
    ObjectKind("v1", "Secret"),
    ObjectKind("networking.k8s.io/v1", "NetworkPolicy"),
)


@pytest.fixture
async def lab(control_plane: ControlPlane) -> AsyncIterator[StackLab]:
    async with stack_lab(control_plane) as made:
        yield made


async def bind(lab: StackLab, contract: str = "sql", name: str = "report") -> None:
    metadata = {"name": name, "namespace": lab.namespace}
    spec = {"stack": lab.name, "contract": contract}
    (await lab.client.create({"apiVersion": API, "kind": "AIBinding", "metadata": metadata, "spec": spec})).result()


async def binding(lab: StackLab, name: str = "report") -> Manifest:
    reply = await lab.client.get(ObjectRef(API, "AIBinding", lab.namespace, name))
    return {} if reply.status == 404 else reply.result()


async def unbind(lab: StackLab, name: str = "report") -> None:
    uid = (await binding(lab, name))["metadata"]["uid"]
    (await lab.client.delete(ObjectRef(API, "AIBinding", lab.namespace, name), uid)).result()


async def until(lab: StackLab, operator: Pipeline, holds: Callable[[Manifest], Any]) -> Manifest:
    """Reconcile until something is so of the binding."""

    async def step() -> Manifest:
        await lab.reconcile(operator)
        await lab.play()
        return await binding(lab)

    found: Manifest = await lab.eventually(step, holds)
    return found


def ready(found: Manifest) -> bool:
    return condition(found, "Ready")["status"] == "True"


async def test_an_app_gets_a_share_that_was_proven(lab: StackLab) -> None:
    await lab.create(DB)
    await bind(lab)
    async with lab.operator() as operator:
        found = await until(lab, operator, ready)
        status = found["status"]
        assert status["binding"] == {"name": "demo-app-report-sql-1"}, "as Service Binding asks"
        assert (status["identity"], status["provider"], status["state"]) == ("app-report", "db", "Proven")
        assert found["metadata"]["finalizers"] == ["aistack.dev/finalizer"]
        secret = await lab.must("Secret", "demo-app-report-sql-1")
        assert {"type", "provider", "host", "username", "password", "uri"} <= secret["data"].keys()
        assert edges(await lab.live())["app-report/sql"]["state"] == "Proven"
        peers = (await lab.must("NetworkPolicy", "demo-db-server"))["spec"]["ingress"]
        assert any("app-report" in str(rule) for rule in peers), "its pods are let through"


async def test_a_pass_with_a_binding_writes_nothing_once_it_is_done(lab: StackLab) -> None:
    await lab.create(DB)
    await bind(lab)
    async with lab.operator() as operator:
        await until(lab, operator, ready)
        await lab.converge(operator)
        before = (await binding(lab))["metadata"]["resourceVersion"]
        lab.calls.clear()
        await lab.reconcile(operator)
        assert lab.writes() == {}
        assert (await binding(lab))["metadata"]["resourceVersion"] == before


async def test_deleting_it_ends_its_credentials_and_nothing_else(lab: StackLab) -> None:
    await lab.create(DB)
    await bind(lab)
    async with lab.operator() as operator:
        await until(lab, operator, ready)
        await unbind(lab)

        async def told() -> Manifest:
            await lab.reconcile(operator)
            return await binding(lab)

        await lab.eventually(told, lambda live: "end of its credentials" in live["status"]["message"])
        jobs = await lab.lab.names(JOB)
        (revoke,) = [name for name in jobs if name.startswith("demo-app-report-sql-revoke-")]
        job = await lab.lab.get(JOB, revoke)
        assert job
        assert job["spec"]["template"]["spec"]["containers"][0]["command"][-2:] == ["revoke", "sql"]
        await until(lab, operator, lambda live: not live)

        async def swept() -> set[str]:
            await lab.reconcile(operator)
            return {name for name in await lab.lab.names(SECRET) if "app-report" in name}

        await lab.eventually(swept, lambda left: not left)
        assert await lab.get("Secret", "demo-db-sql-admin-1") is not None
        assert "app-report/sql" not in edges(await lab.live())


@pytest.mark.parametrize(
    ("contract", "says"),
    [
        pytest.param("sqk", "spec.contract: no contract is named 'sqk'; did you mean 'sql'?", id="misspelt"),
        pytest.param("blob", "nothing in the stack 'demo' provides 'blob'", id="not-provided"),
    ],
)
async def test_one_that_can_t_be_served_says_why_and_stops_nothing(lab: StackLab, contract: str, says: str) -> None:
    await lab.create(DB)
    await bind(lab, contract)
    async with lab.operator() as operator:
        await lab.converge(operator)
        found = await binding(lab)
        assert condition(found, "Stalled")["status"] == "True"
        assert says in found["status"]["message"]
        await unbind(lab)
        await until(lab, operator, lambda live: not live)


async def test_one_that_breaks_says_so_and_the_stack_stays_proven(lab: StackLab) -> None:
    await lab.create(DB)
    await bind(lab)
    async with lab.operator() as operator:
        lab.faults["sql"] = ("network", "nothing listens there")
        found = await until(lab, operator, lambda live: live.get("status", {}).get("state") == "Broken")
        assert condition(found, "Ready")["reason"] == "Broken"
        assert "nothing listens there" in found["status"]["message"]
        assert "binding" not in found["status"], "no app gets what doesn't work"
        assert condition(await lab.live(), "Ready")["status"] == "True"
        assert condition(await lab.live(), "Proven")["status"] == "True"


async def test_without_its_stack_it_waits_or_goes(lab: StackLab) -> None:
    await bind(lab)
    async with lab.operator() as operator:
        await operator.orphans(lab.namespace, lab.name)
        found = await binding(lab)
        assert "no AIStack is named 'demo'" in found["status"]["message"]
        await lab.create(DB)
        await until(lab, operator, ready)
        await lab.delete()
        await lab.vanish(operator)
        assert not ready(await binding(lab))
        await unbind(lab)

        async def left() -> Manifest:
            await operator.orphans(lab.namespace, lab.name)
            return await binding(lab)

        await lab.eventually(left, lambda live: live == {})


async def test_its_stack_and_contract_can_t_be_changed(lab: StackLab) -> None:
    await bind(lab)
    patch = {"spec": {"contract": "blob"}}
    reply = await lab.client.merge(ObjectRef(API, "AIBinding", lab.namespace, "report"), patch)
    assert reply.status == 422
    assert "can't be changed; delete this AIBinding" in str(reply.error())
