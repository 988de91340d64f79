"""A world that isn't ready: each refusal names what was tried, what is wrong and what to do, and heals by itself."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from aistack.cluster.client import Client
from aistack.cluster.replies import Reply
from aistack.errors import AIStackError, ClusterError, ForbiddenError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.objects.plan import ApplyObject, Unit
from aistack.objects.recipes import Generate
from tests.integration import identities
from tests.integration.cluster.lab import CONFIG, MANAGER, Lab, eventually, limit, only, plan_of

pytestmark = pytest.mark.integration

RULES: dict[str, list[Manifest]] = {
    "reader": [{"apiGroups": ["", "apps", "batch"], "resources": ["*"], "verbs": ["get", "list", "watch"]}],
    "half": [
        {"apiGroups": [""], "resources": ["configmaps", "pods", "secrets"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch"]},
    ],
    "rest": [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}],
    "inventories": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "update", "delete"]}],
}


async def allow(lab: Lab, user: str, name: str, namespace: str = "") -> None:
    """Grant rules to a user, cluster-wide or in one namespace."""
    await identities.grant(lab, namespace, f"{user}-{name}", RULES[name], identities.user(user))


async def as_user(lab: Lab, user: str) -> Client:
    return await Client.connect(MANAGER, str(lab.cluster.kubeconfig_for(user)))


async def test_a_missing_right_to_write_names_verb_and_kind(lab: Lab) -> None:
    user = f"writer-{lab.namespace}"
    await allow(lab, user, "reader")
    await allow(lab, user, "inventories", lab.system)
    async with await as_user(lab, user) as client, lab.engine(client) as engine:
        outcome = await engine.apply(plan_of(Unit("a", prepare=(lab.config("c"),))), lab.owner)

    (error,) = only(outcome).errors
    assert isinstance(error, ForbiddenError)
    assert f"apply ConfigMap {lab.namespace}/c: a right is missing" in str(error)
    assert 'cannot patch resource "configmaps"' in str(error)


async def test_a_missing_right_to_watch_degrades_that_kind_and_no_other(lab: Lab) -> None:
    user = f"blind-{lab.namespace}"
    await allow(lab, user, "inventories", lab.system)
    await allow(lab, user, "inventories", lab.namespace)
    await allow(lab, user, "half")
    a, b = Unit("a", prepare=(lab.config("c"),)), Unit("b", run=(lab.workload("w", unit="b"),))
    async with await as_user(lab, user) as client, lab.engine(client) as engine:
        outcome = await engine.apply(plan_of(a, b), lab.owner)
        assert outcome.units["a"].healthy
        (error,) = outcome.units["b"].errors
        assert isinstance(error, ForbiddenError)
        assert 'cannot list resource "deployments"' in str(error)
        assert "Deployment" in engine.degraded()
        await allow(lab, user, "rest")
        await lab.settle(engine, plan_of(a, b))

        async def healed() -> bool:
            return "Deployment" not in engine.degraded()

        await eventually(healed)


async def test_without_the_right_to_keep_inventories_nothing_is_written(lab: Lab) -> None:
    user = f"forgetful-{lab.namespace}"
    await allow(lab, user, "reader")
    async with await as_user(lab, user) as client, lab.engine(client) as engine:
        with pytest.raises(ForbiddenError, match=r"create ConfigMap .*-system/inventory"):
            await engine.apply(plan_of(Unit("a", prepare=(lab.config("c"),))), lab.owner)

    assert await lab.get(CONFIG, "c") is None


async def refused_for(lab: Lab, unit: Unit) -> tuple[AIStackError, ...]:
    async with lab.engine() as engine:
        return only(await engine.apply(plan_of(unit), lab.owner)).errors


async def test_a_missing_namespace_says_how_to_make_it(lab: Lab) -> None:
    lab.namespace = "no-such-namespace"
    errors = await refused_for(lab, Unit("a", prepare=(lab.config("c"), lab.secret("s", {"p": Generate(4)}))))

    assert len(errors) == 2
    for error in errors:
        assert isinstance(error, ClusterError)
        assert "namespace 'no-such-namespace' doesn't exist; kubectl create namespace no-such-namespace" in str(error)


async def test_an_unknown_kind_is_named(lab: Lab) -> None:
    manifest: Manifest = {"apiVersion": "nope.example/v1", "kind": "Nope", "metadata": lab.meta("n", "a")}
    (error,) = await refused_for(lab, Unit("a", prepare=(ApplyObject(manifest), lab.config("c"))))

    assert "the cluster has no kind Nope in nope.example/v1" in str(error)
    assert await lab.get(CONFIG, "c")


async def test_a_quota_is_named_and_heals_when_it_is_raised(lab: Lab) -> None:
    await limit(lab, 2, "configmaps")  # one is the cluster's own kube-root-ca.crt
    plan = plan_of(Unit("a", prepare=(lab.config("c1"), lab.config("c2"))))
    async with lab.engine() as engine:
        (error,) = only(await engine.apply(plan, lab.owner)).errors
        assert isinstance(error, ClusterError)
        assert not isinstance(error, ForbiddenError)
        assert "exceeded quota: q" in str(error)
        quota = ObjectKind("v1", "ResourceQuota")
        live = await lab.get(quota, "q")
        assert live
        await lab.client.delete(ObjectRef("v1", "ResourceQuota", lab.namespace, "q"), live["metadata"]["uid"])
        await lab.settle(engine, plan)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job"])
async def test_a_quota_on_pods_shows_in_the_unit(lab: Lab, kind: str) -> None:
    await limit(lab, 0, "pods")
    job = Unit("a", actions=(lab.action("a/x", "w"),))
    unit = job if kind == "Job" else Unit("a", run=(lab.workload("w", kind=kind),))
    async with lab.engine() as engine:

        async def told() -> bool:
            outcome = await engine.apply(plan_of(unit), lab.owner)
            assert kind == "Deployment" or outcome.retry_after
            problems = only(outcome).pod_problems
            return any(f"{kind} w can't make pods" in p and "exceeded quota: q" in p for p in problems)

        await eventually(told)


QUARREL = {
    "kind": "Status",
    "reason": "Conflict",
    "message": 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified',
}
"""How the API server answers some of many requests at once that count for one quota."""


@pytest.mark.parametrize("kind", ["Secret", "Job"])
async def test_a_conflict_over_a_quota_is_no_foreign_object(lab: Lab, kind: str) -> None:
    """It can't be brought about at will: one answer of the real API server is replaced by what it then says."""
    units = {
        "Secret": Unit("a", prepare=(lab.secret("s", {"p": Generate(4)}),)),
        "Job": Unit("a", actions=(lab.action("a/x", "j"),)),
    }
    create = lab.client.create

    async def quarrel(manifest: Manifest) -> Reply:
        return Reply(409, QUARREL, "create") if manifest["kind"] == kind else await create(manifest)

    async with lab.engine() as engine:
        with patch.object(lab.client, "create", quarrel):
            (error,) = only(await engine.apply(plan_of(units[kind]), lab.owner)).errors
        assert isinstance(error, ClusterError)
        assert "resourcequotas" in str(error)
        assert only(await engine.apply(plan_of(units[kind]), lab.owner)).errors == ()


async def test_a_terminating_namespace_is_named(lab: Lab) -> None:
    held = lab.config("held")
    held.manifest["metadata"]["finalizers"] = ["demo.example/hold"]
    async with lab.engine() as engine:
        await engine.apply(plan_of(Unit("a", prepare=(held,))), lab.owner)
        live = await lab.get(ObjectKind("v1", "Namespace"), lab.namespace, "")
        assert live
        await lab.client.delete(ObjectRef("v1", "Namespace", "", lab.namespace), live["metadata"]["uid"])
        outcome = await engine.apply(plan_of(Unit("a", prepare=(held, lab.config("new")))), lab.owner)

    assert "is being terminated" in " ".join(str(error) for error in only(outcome).errors)
    await lab.client.merge(held.ref, {"metadata": {"finalizers": None}})
