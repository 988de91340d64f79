"""Proofs: when they run, what a status makes of what they say, and what heals. The kubelet alone is played."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from aistack.cluster.client import Client
from aistack.cluster.context import AGAIN
from aistack.cluster.live import Live
from aistack.cluster.replies import Reply
from aistack.cluster.store import Store
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from tests.cluster.controlplane import ControlPlane
from tests.integration.stacklab import StackLab, condition, edges, stack_lab

pytestmark = pytest.mark.integration

WEB = "{components: [{name: web}, {name: db}, {name: store}]}"
JOB, EVENT, POD = ObjectKind("batch/v1", "Job"), ObjectKind("v1", "Event"), ObjectKind("v1", "Pod")


@pytest.fixture
async def lab(control_plane: ControlPlane) -> AsyncIterator[StackLab]:
    async with stack_lab(control_plane) as made:
        yield made


def state(live: Manifest, edge: str) -> str:
    return str(edges(live).get(edge, {}).get("state", ""))


def is_in(edge: str, wanted: str) -> Callable[[Manifest], bool]:
    return lambda live: state(live, edge) == wanted


async def events(lab: StackLab) -> list[tuple[str, str]]:
    found = (await lab.client.list(EVENT, lab.namespace)).result()["items"]
    return [(e["reason"], e["message"]) for e in found if e["reason"].startswith("Edge")]


async def job_uids(lab: StackLab, part: str) -> set[str]:
    found = (await lab.client.list(JOB, lab.namespace)).result()["items"]
    return {j["metadata"]["uid"] for j in found if part in j["metadata"]["name"]}


async def report_ready(lab: StackLab, workload: str, status: str) -> None:
    """Have the kubelet say whether a workload's pod is ready; the real controllers judge the workload by it."""
    for pod in (await lab.client.list(POD, lab.namespace)).result()["items"]:
        if pod["metadata"]["name"].startswith(f"{workload}-") and pod["status"].get("phase") == "Running":
            conditions = [{"type": kind, "status": status} for kind in ("Ready", "ContainersReady")]
            await lab.lab.report(pod["metadata"]["name"], {"conditions": conditions})


async def delete(lab: StackLab, ref: ObjectRef) -> None:
    """Delete an object as somebody else would."""
    live = (await lab.client.get(ref)).result()
    (await lab.client.delete(ref, live["metadata"]["uid"])).result()


async def annotate(lab: StackLab, key: str, value: str) -> None:
    ref = ObjectRef("aistack.dev/v1alpha1", "AIStack", lab.namespace, lab.name)
    (await lab.client.merge(ref, {"metadata": {"annotations": {key: value}}})).result()


async def test_every_edge_is_proven_once_after_it_was_made(lab: StackLab) -> None:
    await lab.create(WEB)
    async with lab.operator() as operator:
        live = await lab.prove(operator)
        await lab.reconcile(operator)
    assert condition(live, "Proven")["reason"] == "Proven"
    assert {edge["state"] for edge in edges(live).values()} == {"Proven"}
    sql = edges(live)["web/sql"]
    assert sql["steps"] == [{"name": "work", "ok": True, "milliseconds": 5}]
    assert sql["lastProven"] == sql["lastRun"]
    assert set(lab.proofs.values()) == {1}, "one run for each identity"
    assert await events(lab) == []


async def test_what_a_proof_said_is_heard_though_the_watch_on_pods_is_late(
    lab: StackLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    see = Store.see

    def late(store: Store, live: Live) -> None:
        if live.ref.kind != "Pod" or "containerStatuses" not in live.manifest.get("status", {}):
            see(store, live)

    monkeypatch.setattr(Store, "see", late)
    await lab.create(WEB)
    async with lab.operator() as operator:
        await lab.prove(operator)
    assert set(lab.proofs.values()) == {1}, "none was taken for silent, and run again"


async def test_a_former_run_that_cannot_be_deleted_now_is_deleted_soon(
    lab: StackLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete, refused = Client.delete, list[ObjectRef]()

    async def busy(client: Client, ref: ObjectRef, *given: Any, **more: Any) -> Reply:
        if ref.kind == "Job" and not refused:
            refused.append(ref)
            return Reply(409, {"reason": "Conflict", "message": "try again"}, f"delete {ref}")
        return await delete(client, ref, *given, **more)

    await lab.create(WEB)
    async with lab.operator() as operator:
        await lab.prove(operator)
        monkeypatch.setattr(Client, "delete", busy)
        await annotate(lab, "aistack.dev/prove", "now web/sql")
        _, delay = await operator.reconcile(await lab.live())
        assert refused
        assert 0 < delay <= AGAIN, "no news will tell when to try again"
        runs = lab.proofs["web"]
        await lab.until(operator, lambda _: lab.proofs["web"] == runs + 1)


@pytest.mark.parametrize(
    ("kind", "claimed_anew"),
    [("auth", True), ("absent", True), ("network", False), ("tls", False), ("quota", False), ("slow", False)],
)
async def test_a_fault_is_named_and_its_class_decides_about_the_claim(
    lab: StackLab, kind: str, claimed_anew: bool
) -> None:
    await lab.create(WEB)
    async with lab.operator() as operator:
        await lab.prove(operator)
        claims = await job_uids(lab, "web-sql-claim")
        lab.faults["sql"] = (kind, "no such luck")
        await annotate(lab, "aistack.dev/prove", "now web/sql")
        live = await lab.until(operator, is_in("web/sql", "Broken"))
        assert edges(live)["web/sql"]["failure"] == kind
        assert edges(live)["web/sql"]["message"] == "work: no such luck"
        assert edges(live)["web/sql"]["lastProven"] <= edges(live)["web/sql"]["lastRun"]
        assert state(live, "web/blob") == "Proven", "other edges aren't blamed"
        assert condition(live, "Proven")["reason"] == "Broken"
        assert "web → sql (db): work: no such luck" in condition(live, "Proven")["message"]
        assert condition(live, "Ready")["status"] == "True" or claimed_anew
        for _ in range(10):
            await lab.reconcile(operator)
            await lab.play()
        assert (await job_uids(lab, "web-sql-claim") != claims) is claimed_anew
        lab.faults.clear()
        await lab.prove(operator)
    told = await events(lab)
    assert sorted(reason for reason, _ in told) == ["EdgeBroken", "EdgeHealed"]


async def test_a_provider_that_is_away_breaks_its_edges_at_once_and_they_are_proven_anew(lab: StackLab) -> None:
    await lab.create(WEB)
    async with lab.operator() as operator:
        await lab.prove(operator)
        runs = dict(lab.proofs)
        await report_ready(lab, "demo-db", "False")
        live = await lab.until(operator, is_in("web/sql", "Broken"))
        assert "the provider isn't ready: Deployment demo-db" in edges(live)["web/sql"]["message"]
        assert state(live, "web/blob") == "Proven"
        assert lab.proofs == runs, "nothing is tried while the provider is away"
        await report_ready(lab, "demo-db", "True")
        await lab.prove(operator)
    assert lab.proofs["web"] == runs["web"] + 1


async def test_who_asks_gets_an_answer(lab: StackLab) -> None:
    await lab.create("{components: [{name: web}, {name: db}, {name: store}], proofs: {every: 'off'}}")
    async with lab.operator() as operator:
        live = await lab.converge(operator)
        for _ in range(5):
            await lab.reconcile(operator)
        assert not lab.proofs, "proofs are off"
        assert "proofs are off" in edges(live)["web/sql"]["message"]
        await annotate(lab, "aistack.dev/prove", "token-1")
        live = await lab.until(operator, lambda live: live["status"].get("lastHandledProve") == "token-1")
        assert condition(live, "Proven")["status"] == "True"
        runs = dict(lab.proofs)
        await annotate(lab, "aistack.dev/prove", "token-2 web/sql")
        await lab.until(operator, lambda live: live["status"].get("lastHandledProve") == "token-2 web/sql")
    assert {key: n - runs[key] for key, n in lab.proofs.items()} == {"web": 1} | {k: 0 for k in runs if k != "web"}


async def test_new_credentials_reach_the_consumer_only_once_they_are_proven(lab: StackLab) -> None:
    await lab.create(WEB)

    async def uses() -> str:
        return repr((await lab.must("Deployment", "demo-web"))["spec"]["template"])

    async with lab.operator() as operator:
        await lab.prove(operator)
        lab.faults["sql"] = ("auth", "refused")
        await delete(lab, ObjectRef("v1", "Secret", lab.namespace, "demo-web-sql-1"))
        await lab.until(operator, lambda live: "refused" in edges(live).get("web/sql", {}).get("message", ""))
        assert await lab.get("Secret", "demo-web-sql-2") is not None
        assert "demo-web-sql-1" in await uses()
        assert "demo-web-sql-2" not in await uses()
        lab.faults.clear()
        await lab.prove(operator)
        assert "demo-web-sql-2" in await uses()


async def test_each_proof_has_its_turn_in_every_interval_and_a_restart_makes_up_for_none(lab: StackLab) -> None:
    await lab.create("{components: [{name: web}, {name: db}, {name: store}], proofs: {every: 10m}}")
    ahead = 0.0

    def clock() -> float:
        return time.time() + ahead

    async with lab.operator(clock=clock) as operator:
        await lab.prove(operator)
        runs = dict(lab.proofs)
        _, delay = await operator.reconcile(await lab.live())
        assert 0 < delay <= 600
        ahead += 600
        await lab.until(operator, lambda _: all(lab.proofs[key] == n + 1 for key, n in runs.items()))
    ahead += 6000
    async with lab.operator(clock=clock) as restarted:
        await lab.reconcile(restarted)
        await lab.play()
        _, delay = await restarted.reconcile(await lab.live())
        assert 0 < delay <= 600
        assert all(lab.proofs[key] == n + 1 for key, n in runs.items())


async def test_ready_can_wait_for_proofs(lab: StackLab) -> None:
    await lab.create("{components: [{name: web}, {name: db}, {name: store}], readiness: Proven}")
    lab.faults["sql"] = ("network", "nobody answers")
    async with lab.operator() as operator:
        live = await lab.settle(operator, "Ready waits for proofs: web → sql (db): work: nobody answers")
        assert state(live, "web/sql") == "Broken"
        ready = condition(live, "Ready")
        assert (ready["status"], ready["reason"]) == ("False", "Broken")
        lab.faults.clear()
        await annotate(lab, "aistack.dev/prove", "now")
        live = await lab.converge(operator)
    assert condition(live, "Proven")["status"] == "True"


async def test_a_namespace_without_room_for_jobs_is_told_at_the_edge(lab: StackLab) -> None:
    await lab.create("{components: [{name: web}, {name: db}, {name: store}], proofs: {every: 'off'}}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        jobs = len((await lab.client.list(JOB, lab.namespace)).result()["items"])
        quota = {"hard": {"count/jobs.batch": str(jobs)}}
        metadata = {"name": "full", "namespace": lab.namespace}
        await lab.client.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": quota})
        quota_ref = ObjectRef("v1", "ResourceQuota", lab.namespace, "full")
        await lab.eventually(lambda: lab.client.get(quota_ref), lambda reply: "used" in reply.body.get("status", {}))
        await annotate(lab, "aistack.dev/prove", "now")
        live = await lab.until(operator, lambda live: "exceeded quota" in edges(live)["web/sql"]["message"])
        assert condition(live, "Ready")["status"] == "True"
        await delete(lab, quota_ref)
        await lab.prove(operator)


async def test_a_sidecar_that_never_ends_holds_nothing_up(lab: StackLab) -> None:
    """A service mesh adds a container to each pod: claims and proofs are over once their own container is."""
    lab.sidecar = True
    await lab.create(WEB)
    async with lab.operator() as operator:
        await lab.prove(operator)
        runs = dict(lab.proofs)
        lab.faults["sql"] = ("network", "nobody answers")
        await annotate(lab, "aistack.dev/prove", "now web/sql")
        live = await lab.until(operator, is_in("web/sql", "Broken"))
        assert edges(live)["web/sql"]["message"] == "work: nobody answers"
        lab.faults.clear()
        await annotate(lab, "aistack.dev/prove", "again web/sql")
        await lab.prove(operator)
        assert lab.proofs["web"] > runs["web"] + 1, "a pod that goes on is in no later run's way"


LIMITS = {"default": {"cpu": "500m"}, "min": {"cpu": "10m", "memory": "32Mi"}, "max": {"cpu": "2", "memory": "4Gi"}}
ROOM = {"requests.cpu": "4", "requests.memory": "8Gi", "limits.cpu": "20", "limits.memory": "16Gi", "pods": "40"}


async def test_claims_and_proofs_fit_where_every_pod_needs_limits(lab: StackLab) -> None:
    """A ResourceQuota on limits refuses pods that have none; a LimitRange gives them what we don't set ourselves."""
    for kind, spec in (
        ("LimitRange", {"limits": [{"type": "Container", **LIMITS}]}),
        ("ResourceQuota", {"hard": ROOM}),
    ):
        metadata = {"name": "room", "namespace": lab.namespace}
        (await lab.client.create({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec})).result()
    quota = ObjectRef("v1", "ResourceQuota", lab.namespace, "room")
    await lab.eventually(lambda: lab.client.get(quota), lambda reply: "used" in reply.body.get("status", {}))
    await lab.create(WEB)
    async with lab.operator() as operator:
        live = await lab.prove(operator)
    assert {edge["state"] for edge in edges(live).values()} == {"Proven"}
    pods = (await lab.client.list(POD, lab.namespace)).result()["items"]
    given = [c["resources"]["limits"] for pod in pods for c in pod["spec"]["containers"]]
    assert given
    assert all(limits["cpu"] == "500m" for limits in given), "the LimitRange was at work"
