"""A stack acts as its ServiceAccount: what that one lacks is told with its remedy, and heals once it is granted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from aistack.errors import NotReadyError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.pipeline import Pipeline
from aistack.planning.accounts import Accounts
from tests.golden import shipped
from tests.integration.cluster.lab import WRITES
from tests.integration.identities import ACCOUNT, Operator, account, account_rules, grant, make_account, without
from tests.integration.stacklab import StackLab, condition

pytestmark = pytest.mark.integration

DB = "{components: [{name: db}], proofs: {every: 'off'}, deletionPolicy: %s}"
STARTER = "{profile: starter, deletionPolicy: %s}"
OWN = {"AIStack", "AIBinding", "Event"}
"""Kinds that the operator writes as itself in a stack's namespace."""
EVENT = ObjectKind("v1", "Event")


@asynccontextmanager
async def operating(lab: StackLab, operator: Operator, accounts: Accounts) -> AsyncIterator[Pipeline]:
    """Run the operator with its generated rights."""
    await operator.grant()
    async with (
        await operator.connect() as client,
        lab.operator(client=client, served=operator.served, accounts=accounts) as pipeline,
    ):
        yield pipeline


@pytest.fixture
def operator(lab: StackLab) -> Operator:
    return Operator(lab, accounts=(ACCOUNT,))


@pytest.fixture
async def pipeline(lab: StackLab, operator: Operator) -> AsyncIterator[Pipeline]:
    async with operating(lab, operator, Accounts(ACCOUNT)) as pipeline:
        yield pipeline


async def revoke(lab: StackLab, name: str = ACCOUNT, kind: str = "RoleBinding") -> None:
    """Take an account's rights, or the account itself, away."""
    api, named = ("v1", name) if kind == "ServiceAccount" else ("rbac.authorization.k8s.io/v1", f"{name}-rights")
    ref = ObjectRef(api, kind, lab.namespace, named)
    uid = (await lab.client.get(ref)).result()["metadata"]["uid"]
    (await lab.client.delete(ref, uid)).result()


async def events(lab: StackLab, reason: str) -> list[str]:
    found = (await lab.client.list(EVENT, lab.namespace)).result()["items"]
    return [event["message"] for event in found if event["reason"] == reason]


@pytest.mark.parametrize("served", ["everywhere", "one namespace"])
async def test_a_starter_lives_and_dies_as_its_account_and_nothing_is_refused(lab: StackLab, served: str) -> None:
    await make_account(lab)
    operator = Operator(lab, (lab.namespace,) if served == "one namespace" else (), (ACCOUNT,))
    await operator.grant()
    async with (
        await operator.connect() as client,
        lab.operator(shipped(), client, served=operator.served, accounts=Accounts(ACCOUNT)) as pipeline,
    ):
        for policy in ("Retain", "Delete"):
            await lab.create(STARTER % policy)
            await lab.converge(pipeline)
            operator.answers.clear()
            await lab.reconcile(pipeline)
            assert not operator.answers, "nothing changed, nobody was asked"
            await lab.delete()
            await lab.vanish(pipeline)

    assert operator.refused == []
    here = [call for call in operator.calls if f"/namespaces/{lab.namespace}/" in call.path]
    written = [call for call in here if call.verb in WRITES and call.kind not in OWN]
    assert {call.user for call in written} == {f"system:serviceaccount:{lab.namespace}:{ACCOUNT}"}
    assert {"Deployment", "Secret", "Job", "Role", "RoleBinding", "NetworkPolicy"} <= {call.kind for call in written}
    assert {call.user for call in here if call.kind in OWN} == {""}
    assert {call.user for call in operator.calls if f"/namespaces/{lab.system}/" in call.path} == {""}


async def test_an_account_that_is_not_there_is_awaited_by_name(lab: StackLab, pipeline: Pipeline) -> None:
    await lab.create(DB % "Delete")
    live = await lab.settle(pipeline, "to act as")
    message = live["status"]["message"]
    assert f"spec.serviceAccountName: namespace '{lab.namespace}' has no ServiceAccount '{ACCOUNT}'" in message
    assert f"kubectl -n {lab.namespace} create serviceaccount {ACCOUNT}" in message
    assert condition(live, "Stalled")["status"] == "False", "somebody may be about to make it"
    assert "finalizers" not in live["metadata"], "nothing was made, so nothing holds it"
    await make_account(lab)
    await lab.converge(pipeline)


async def test_a_right_that_is_missing_is_told_and_heals(lab: StackLab, pipeline: Pipeline) -> None:
    await make_account(lab, held=without(account_rules(), "deployments"))
    await lab.create(DB % "Delete")
    live = await lab.settle(pipeline, "may not patch deployments")
    message = live["status"]["message"]
    assert condition(live, "Ready")["reason"] == "Forbidden"
    assert f"apply Deployment {lab.namespace}/demo-db: a right is missing: ServiceAccount" in message
    mend = f"create rolebinding {ACCOUNT} --clusterrole=aistack-stack --serviceaccount={lab.namespace}:{ACCOUNT}"
    assert f"kubectl -n {lab.namespace} {mend}" in message
    assert await lab.get("Deployment", "demo-db") is None
    await grant(lab, lab.namespace, f"{ACCOUNT}-rights", account_rules(), account(lab.namespace, ACCOUNT))
    await lab.converge(pipeline)


async def test_an_account_that_the_operator_may_not_act_as(lab: StackLab) -> None:
    await make_account(lab)
    async with operating(lab, Operator(lab), Accounts(ACCOUNT)) as pipeline:
        await lab.create(DB % "Delete")
        live = await lab.settle(pipeline, "the operator may not act as")
    message = live["status"]["message"]
    assert f"ServiceAccount {lab.namespace}/{ACCOUNT}; whoever installed it names it in the chart's value" in message
    assert condition(live, "Ready")["reason"] == "Forbidden"
    assert await lab.get("Deployment", "demo-db") is None


async def test_the_role_that_a_served_namespace_has_is_named(lab: StackLab) -> None:
    await make_account(lab, held=[])
    async with operating(lab, Operator(lab, (lab.namespace,), (ACCOUNT,)), Accounts(ACCOUNT)) as pipeline:
        await lab.create(DB % "Delete")
        await lab.settle(pipeline, f"create rolebinding {ACCOUNT} --role=aistack-stack --serviceaccount=")


async def test_an_account_of_a_stack_s_own(lab: StackLab) -> None:
    await make_account(lab, "team")
    operator = Operator(lab, accounts=(ACCOUNT, "team"))
    async with operating(lab, operator, Accounts(ACCOUNT, ("team",))) as pipeline:
        await lab.create("{components: [{name: db}], proofs: {every: 'off'}, serviceAccountName: team}")
        await lab.converge(pipeline)
    assert any(call.user.endswith(":team") and call.kind == "Deployment" for call in operator.calls)


async def test_a_deletion_that_the_account_may_not_do_says_so_and_heals(lab: StackLab, pipeline: Pipeline) -> None:
    await make_account(lab)
    await lab.create(DB % "Delete")
    await lab.converge(pipeline)
    await revoke(lab)
    await lab.delete()
    live = await lab.settle(pipeline, "may not delete")
    message = live["status"]["message"]
    assert "deleting: waits for delete Deployment" in message
    assert f"create rolebinding {ACCOUNT} --clusterrole=aistack-stack" in message
    assert condition(live, "Ready")["reason"] == "Deleting"
    await grant(lab, lab.namespace, f"{ACCOUNT}-rights", account_rules(), account(lab.namespace, ACCOUNT))
    await lab.vanish(pipeline)
    assert await lab.get("PersistentVolumeClaim", "demo-db-data") is None


async def test_a_deletion_whose_account_is_gone_lets_go_and_tells_what_stays(
    lab: StackLab, operator: Operator, pipeline: Pipeline
) -> None:
    await make_account(lab)
    await lab.create(DB % "Retain")
    await lab.converge(pipeline)
    await revoke(lab)
    await lab.delete()
    await lab.settle(pipeline, "may not delete")
    await revoke(lab, kind="ServiceAccount")
    await lab.vanish(pipeline)
    await lab.must("Deployment", "demo-db")
    (told,) = await events(lab, "LeftBehind")
    assert f"Deployment {lab.namespace}/demo-db" in told
    assert "PersistentVolumeClaim" not in told, "it would have been kept anyway"
    assert f"kubectl -n {lab.namespace} get " in told
    assert "aistack.dev/stack=demo" in told
    assert not any(call.verb == "delete" and not call.user for call in operator.calls), "it never acts for the account"

    await make_account(lab)
    await lab.create(DB % "Delete")
    await lab.converge(pipeline)
    await lab.delete()
    await lab.vanish(pipeline)
    assert await lab.get("Deployment", "demo-db") is None, "a stack of the same name takes it up again"


async def test_a_namespace_goes_with_its_accounts(lab: StackLab, pipeline: Pipeline) -> None:
    await make_account(lab)
    await lab.create(DB % "Retain")
    await lab.converge(pipeline)
    ref = ObjectRef("v1", "Namespace", "", lab.namespace)
    uid = (await lab.client.get(ref)).result()["metadata"]["uid"]
    (await lab.client.delete(ref, uid)).result()

    async def step() -> bool:
        stack: Manifest | None = None if await lab.gone() else await lab.live()
        if stack is not None and stack["metadata"].get("deletionTimestamp"):
            with suppress(NotReadyError):
                await pipeline.reconcile(stack)
        return bool((await lab.client.get(ref)).status == 404)

    await lab.eventually(step, lambda gone: gone)
