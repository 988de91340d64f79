"""A tenant: every right on AIStacks and AIBindings of one namespace, and no other right at all, tries to get more.

The operator runs with its generated roles and ``--default-service-account``; the namespace's account has the role
``aistack-stack``. Each row tries something, and looks at the world afterwards: a value that arrived nowhere, an object
that is as it was. docs/security.md has the same table.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from aistack.cluster.client import Client
from aistack.errors import NotReadyError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef, ref_of
from aistack.pipeline import Pipeline
from aistack.planning.accounts import Accounts
from tests.integration.identities import ACCOUNT, Operator, account, account_rules, grant, make_account, tenant, without
from tests.integration.stacklab import StackLab, condition

pytestmark = pytest.mark.integration

VALUE = "the-payroll-password-6d1f"
"""What a tenant must never see."""
SPEC: Manifest = {"components": [{"name": "db"}], "proofs": {"every": "off"}}
API = "aistack.dev/v1alpha1"
LOOKS = ("get", "list", "watch")
KINDS = tuple(
    ObjectKind(*kind.split(" "))
    for kind in (
        "v1 Secret",
        "v1 ConfigMap",
        "v1 Pod",
        "v1 Service",
        "v1 Event",
        "v1 ServiceAccount",
        "v1 PersistentVolumeClaim",
        "apps/v1 Deployment",
        "apps/v1 StatefulSet",
        "batch/v1 Job",
        "networking.k8s.io/v1 Ingress",
        "networking.k8s.io/v1 NetworkPolicy",
        "rbac.authorization.k8s.io/v1 Role",
        "rbac.authorization.k8s.io/v1 RoleBinding",
    )
)


@dataclass
class World:
    """A tenant's namespace, others' things in it, and a namespace of others."""

    lab: StackLab
    tenant: Client
    pipeline: Pipeline
    operator: Operator
    foreign: dict[str, Manifest] = field(default_factory=dict)
    """Objects of others, as they were when the tenant began."""
    rightful: set[str] = field(default_factory=set)
    """Where a value is because somebody else may have it."""

    @property
    def other(self) -> str:
        """The namespace of others."""
        return f"{self.lab.namespace}-other"

    async def furnish(self) -> None:
        """Make what belongs to others."""
        (await self.lab.client.create(manifest("v1", "Namespace", "", self.other))).result()
        await make_account(self.lab, "boss", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])
        await make_account(self.lab, "boss", account_rules(), self.other)
        keys = {"host": "db", "port": "5432", "database": "pay", "username": "root", "password": VALUE}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in {**keys, "type": "sql"}.items()}
        for namespace in (self.lab.namespace, self.other):
            await self.belongs({**manifest("v1", "Secret", namespace, "payroll"), "data": data})

    async def belongs(self, made: Manifest) -> None:
        """Make an object of somebody else's, and remember it."""
        async with await self.lab.lab.stranger() as stranger:
            self.foreign[str(ref_of(made))] = (await stranger.create(made)).result()

    async def unchanged(self) -> None:
        """Assert that others' objects are as they were."""
        for before in self.foreign.values():
            assert (await self.lab.client.get(ref_of(before))).result() == before

    async def everything(self, namespace: str) -> list[Manifest]:
        """Return all objects of a namespace, AIStacks and AIBindings too."""
        kinds = (*KINDS, ObjectKind(API, "AIStack"), ObjectKind(API, "AIBinding"))
        lists = [(kind, (await self.lab.client.list(kind, namespace)).result()["items"]) for kind in kinds]
        return [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for kind, items in lists for item in items]

    async def tells(self, text: str) -> list[str]:
        """Return where a text arrived, plain or encoded, in the tenant's namespace or the operator's."""
        sought = (text, base64.b64encode(text.encode()).decode())
        places = [*await self.everything(self.lab.namespace), *await self.everything(self.lab.system)]
        found = [str(ref_of(place)) for place in places if any(words in json.dumps(place) for words in sought)]
        return [ref for ref in found if ref not in self.foreign.keys() | self.rightful]

    async def made(self, kind: str) -> set[str]:
        """Return the names of the stack's objects of a kind."""
        labelled = [o for o in await self.everything(self.lab.namespace) if o["kind"] == kind]
        mine = [o for o in labelled if "aistack.dev/stack" in o["metadata"].get("labels", {})]
        return {o["metadata"]["name"] for o in mine}

    # ------------------------------------------------------------------ what the tenant does

    async def asks(self, name: str = "demo", **spec: Any) -> Manifest:
        """The tenant makes a stack, or changes it, and the operator works on it; returns what became of it."""
        wanted = {**manifest(API, "AIStack", self.lab.namespace, name), "spec": {**SPEC, **spec}}
        (await self.tenant.apply(wanted, force=True)).result()
        return await self.passes(name)

    async def passes(self, name: str = "demo", times: int = 6) -> Manifest:
        """The operator makes some passes over a stack; pods run meanwhile."""
        ref = ObjectRef(API, "AIStack", self.lab.namespace, name)
        live = (await self.lab.client.get(ref)).result()
        for _ in range(times):
            try:
                live, _delay = await self.pipeline.reconcile(live)
            except NotReadyError:
                live = (await self.lab.client.get(ref)).result()
            await self.lab.play()
        return live

    async def answered(self, binding: ObjectRef, stack: str) -> Manifest:
        """The operator works on an AIBinding that isn't its stack's; returns what became of it."""

        async def step() -> Manifest:
            await self.pipeline.orphans(self.lab.namespace, stack)
            return (await self.tenant.get(binding)).result()

        answered: Manifest = await self.lab.eventually(step, lambda live: "conditions" in live["status"])
        return answered

    async def refused(self, status: int, **spec: Any) -> str:
        """The API server itself refuses such a stack of the tenant's; returns its words."""
        wanted = {**manifest(API, "AIStack", self.lab.namespace, "demo"), "spec": {**SPEC, **spec}}
        reply = await self.tenant.create(wanted)
        assert reply.status == status, reply.message
        return reply.message

    async def allow(self, held: list[dict[str, Any]]) -> None:
        """The administrator gives the tenant's account these rights and no others."""
        subject = account(self.lab.namespace, ACCOUNT)
        await grant(self.lab, self.lab.namespace, f"{ACCOUNT}-rights", held, subject)


def manifest(api: str, kind: str, namespace: str, name: str) -> Manifest:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def told(live: Manifest) -> tuple[str, str]:
    """Return why a stack isn't ready, for programs and for people."""
    return condition(live, "Ready")["reason"], live["status"]["message"]


@pytest.fixture
async def world(lab: StackLab) -> AsyncIterator[World]:
    operator = Operator(lab, accounts=(ACCOUNT,))
    await operator.grant()
    await make_account(lab)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(await operator.connect())
        mine = await stack.enter_async_context(await tenant(lab))
        accounts = Accounts(ACCOUNT)
        pipeline = await stack.enter_async_context(lab.operator(client=client, accounts=accounts))
        world = World(lab, mine, pipeline, operator)
        await world.furnish()
        yield world


# ---------------------------------------------------------------------- escalations: each by what it is after

APPARMOR = "container.apparmor.security.beta.kubernetes.io/server"
SHARE = {"contract": "sql", "secretRef": {"name": "payroll"}, "components": ["web"], "access": "Share"}
ADMIN = {"contract": "sql", "secretRef": {"name": "payroll"}}


async def reads_a_secret_as_a_provider(world: World) -> None:
    """Names somebody's Secret as a provider of its own, to have its values in pods."""
    for external in (SHARE, ADMIN):
        reason, message = told(await world.asks(profile="toy", external=[external]))
        assert reason == "Forbidden"
        assert f"--verb=get --resource=secrets --resource-name=payroll; kubectl -n {world.lab.namespace}" in message
    assert await world.made("Secret") == set()


async def reads_a_secret_as_an_administrator(world: World) -> None:
    """Names it as an administrator's login of a database of its own."""
    reason, _ = told(await world.asks(components=[{"name": "db", "adminSecretRef": {"name": "payroll"}}]))
    assert reason == "Forbidden"
    assert await world.made("Secret") == set()


async def reads_a_secret_after_another_did(world: World) -> None:
    """Waits until an account that may read a Secret had it read, to get it from what the operator remembers."""
    payroll = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["payroll"]}
    await make_account(world.lab, "trusted", [*account_rules(), payroll])
    await Operator(world.lab, accounts=(ACCOUNT, "trusted")).grant()
    theirs = manifest(API, "AIStack", world.lab.namespace, "theirs")
    spec = {**SPEC, "profile": "toy", "external": [ADMIN], "serviceAccountName": "trusted"}
    (await world.lab.client.create({**theirs, "spec": spec})).result()
    async with (
        await world.operator.connect() as client,
        world.lab.operator(client=client, accounts=Accounts(ACCOUNT, ("trusted",))) as pipeline,
    ):
        world.pipeline = pipeline
        await world.passes("theirs")
        copies = {name for name in await world.made("Secret") if name.startswith("theirs-")}
        assert copies, "who may read it has it"
        reason, _ = told(await world.asks(profile="toy", external=[ADMIN]))
    assert reason == "Forbidden"
    assert await world.made("Secret") == copies
    world.rightful = {f"Secret {world.lab.namespace}/{name}" for name in copies}


async def learns_which_secrets_exist(world: World) -> None:
    """Names Secrets at random, to learn from the status which of them exist."""
    said = {}
    for name in ("payroll", "nothing"):
        external = [{**ADMIN, "secretRef": {"name": name}}]
        said[name] = told(await world.asks(profile="toy", external=external))[1].replace(name, "NAME")
    assert said["payroll"] == said["nothing"]


async def names_a_powerful_account(world: World) -> None:
    """Names a ServiceAccount of the namespace that may do everything."""
    reason, message = told(await world.asks(serviceAccountName="boss"))
    assert reason == "InvalidSpec"
    assert "'boss' is no account of stacks here; leave the field out, write aistack, or" in message
    assert await world.made("Deployment") == set()


async def names_a_powerful_account_of_an_operator_that_does_not_mind(world: World) -> None:
    """The same where the operator's own check would let it through: the API server holds it to the names granted."""
    async with (
        await world.operator.connect() as client,
        world.lab.operator(client=client, accounts=Accounts(ACCOUNT, ("boss",))) as pipeline,
    ):
        world.pipeline = pipeline
        reason, message = told(await world.asks(serviceAccountName="boss"))
    assert reason == "Forbidden"
    assert "the operator may not act as ServiceAccount" in message
    assert await world.made("Deployment") == set()


async def names_an_account_of_another_namespace(world: World) -> None:
    """Names one elsewhere, a user or a group, in every way of writing it."""
    for name in (
        f"{world.other}/boss",
        f"system:serviceaccount:{world.other}:boss",
        "system:admin",
        "system:masters",
        "aistack\r\nImpersonate-Group: system:masters",
        "",
    ):
        message = await world.refused(422, serviceAccountName=name)
        assert "spec.serviceAccountName" in message


async def deletes_what_its_account_may_not(world: World) -> None:
    """Has the operator delete a volume, as the account, or, naming one that doesn't exist, as itself."""
    await world.asks(deletionPolicy="Retain")
    await world.allow(without(account_rules(), "persistentvolumeclaims"))
    await world.asks(deletionPolicy="Delete", serviceAccountName="nobody")
    stack = (await world.tenant.get(ObjectRef(API, "AIStack", world.lab.namespace, "demo"))).result()
    (await world.tenant.delete(ref_of(stack), stack["metadata"]["uid"])).result()
    assert "'nobody' is no account of stacks here" in told(await world.passes())[1]
    async with await world.operator.connect() as client, world.lab.operator(client=client) as careless:
        await world.lab.vanish(careless)  # it was told of no accounts, and minds none; it has no more rights for that
    assert await world.made("PersistentVolumeClaim") == {"demo-db-data"}


async def runs_pods_that_its_account_may_not(world: World) -> None:
    """Has the operator run an image of the tenant's own, where the administrator took that right away."""
    await world.allow(without(account_rules(), "deployments"))
    reason, _ = told(await world.asks(images={"registry": "evil.example.com/x"}))
    assert reason == "Forbidden"
    assert await world.made("Deployment") == set()
    assert await world.made("Pod") == set()


async def makes_its_pods_powerful(world: World) -> None:
    """Runs an image of its own with a powerful account's token, or as root, by every way there is into a pod."""
    for injected in ({"labels": {"aistack.dev/identity": "x"}}, {"annotations": {APPARMOR: "unconfined"}}):
        assert "which" in await world.refused(422, **injected)
    text = '"}\nserviceAccountName: boss\nhostNetwork: true\nprivileged: true'
    web = {"name": "web", "values": {"title": text, "extra": {"serviceAccountName": "boss"}}}
    await world.asks(profile="toy", components=[web], images={"registry": "evil.example.com/x"})
    pods = [o["spec"] for o in await world.everything(world.lab.namespace) if o["kind"] == "Pod"]
    assert pods, "they run"
    for pod in pods:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert pod["serviceAccountName"] != "boss"
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert all(c["securityContext"]["allowPrivilegeEscalation"] is False for c in pod["containers"])


async def takes_a_host_of_somebody_else(world: World) -> None:
    """Puts a page at somebody's host, where its account may not make Ingresses."""
    await world.allow(without(account_rules(), "ingresses"))
    await world.asks(profile="toy", expose={"host": "bank.example.com", "className": "nginx"})
    await world.lab.settle(world.pipeline, "may not patch ingresses")
    assert await world.made("Ingress") == set()


async def takes_a_priority_of_the_cluster_s(world: World) -> None:
    """Names the priority of the cluster's own pods, where a quota keeps it for others."""
    scope = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}
    quota = manifest("v1", "ResourceQuota", world.lab.namespace, "no-priority")
    quota["spec"] = {"hard": {"pods": "0"}, "scopeSelector": scope}
    (await world.lab.client.create(quota)).result()
    await world.asks(scheduling={"priorityClassName": "system-cluster-critical"})
    assert await world.made("Deployment") == {"demo-db"}
    assert await world.made("Pod") == set()


async def binds_to_a_stack_of_another_namespace(world: World) -> None:
    """Asks for a share of somebody's database, from here and from there."""
    theirs = manifest(API, "AIStack", world.other, "theirs")
    await world.belongs({**theirs, "spec": {**SPEC, "suspend": True}})
    there = {**manifest(API, "AIBinding", world.other, "mine"), "spec": {"stack": "theirs", "contract": "sql"}}
    assert (await world.tenant.create(there)).status == 403
    here = {**manifest(API, "AIBinding", world.lab.namespace, "mine"), "spec": {"stack": "theirs", "contract": "sql"}}
    for name in (f"{world.other}/theirs", f"../../{world.other}/aistacks", "..", "a%2fb"):
        reply = await world.tenant.create({**here, "spec": {"stack": name, "contract": "sql"}})
        assert reply.status == 422, "it would lead to another object of the operator's to look at"
    (await world.tenant.create(here)).result()
    live = await world.answered(ref_of(here), "theirs")
    assert condition(live, "Ready")["status"] == "False"
    assert "no AIStack is named 'theirs'" in live["status"]["message"]
    assert await world.made("Secret") == set()


async def forges_what_the_operator_remembers(world: World) -> None:
    """Writes an inventory, a status or the finalizer that would make somebody's Secret the stack's to delete."""
    await world.asks(deletionPolicy="Delete")
    stack = (await world.tenant.get(ObjectRef(API, "AIStack", world.lab.namespace, "demo"))).result()
    forged = {"status": {"components": [{"name": "payroll"}], "conditions": []}}
    assert (await world.tenant.merge(ref_of(stack), forged, subresource="status")).status == 403
    same = (await world.tenant.merge(ref_of(stack), forged)).result()
    assert same["status"] == stack["status"], "the API server takes a status apart from the rest"
    for namespace in (world.lab.namespace, world.lab.system):
        inventory = {**manifest("v1", "ConfigMap", namespace, "forged"), "data": {"records": "{}"}}
        assert (await world.tenant.create(inventory)).status == 403
    marks = {"labels": {"aistack.dev/stack": "demo"}, "annotations": {"aistack.dev/recipes": "x"}}
    payroll = ObjectRef("v1", "Secret", world.lab.namespace, "payroll")
    assert (await world.tenant.merge(payroll, {"metadata": marks})).status == 403
    (await world.tenant.merge(ref_of(stack), {"metadata": marks})).result()
    (await world.tenant.delete(ref_of(stack), stack["metadata"]["uid"])).result()
    await world.lab.vanish(world.pipeline)


async def takes_over_an_object_by_its_name(world: World) -> None:
    """Names a stack so that its objects have the names of somebody's, to have them changed, and then deleted."""
    ports = {"spec": {"ports": [{"port": 1}], "selector": {"app": "bank"}}}
    await world.belongs({**manifest("v1", "Service", world.lab.namespace, "bank-db"), **ports})
    live = await world.asks("bank", deletionPolicy="Delete")
    assert told(live)[0] == "ForeignObject", told(live)
    (await world.tenant.delete(ref_of(live), live["metadata"]["uid"])).result()
    world.lab.name = "bank"
    await world.lab.vanish(world.pipeline)


async def reads_what_its_own_stack_made(world: World) -> None:
    """Reads the passwords that the operator made for it: a right on AIStacks is none on Secrets."""
    await world.asks()
    (secret,) = await world.made("Secret")
    assert (await world.tenant.get(ObjectRef("v1", "Secret", world.lab.namespace, secret))).status == 403
    password = (await world.lab.client.get(ObjectRef("v1", "Secret", world.lab.namespace, secret))).result()["data"]
    stack = await world.lab.live()
    assert not any(value in json.dumps(stack) for value in password.values())


ESCALATIONS: tuple[Callable[[World], Awaitable[None]], ...] = (
    reads_a_secret_as_a_provider,
    reads_a_secret_as_an_administrator,
    reads_a_secret_after_another_did,
    learns_which_secrets_exist,
    names_a_powerful_account,
    names_a_powerful_account_of_an_operator_that_does_not_mind,
    names_an_account_of_another_namespace,
    deletes_what_its_account_may_not,
    runs_pods_that_its_account_may_not,
    makes_its_pods_powerful,
    takes_a_host_of_somebody_else,
    takes_a_priority_of_the_cluster_s,
    binds_to_a_stack_of_another_namespace,
    forges_what_the_operator_remembers,
    takes_over_an_object_by_its_name,
    reads_what_its_own_stack_made,
)


@pytest.mark.parametrize("escalation", ESCALATIONS, ids=lambda escalation: escalation.__name__)
async def test_a_tenant_gets_no_further(world: World, escalation: Callable[[World], Awaitable[None]]) -> None:
    await escalation(world)
    assert await world.tells(VALUE) == []
    await world.unchanged()
    written = [c for c in world.operator.calls if f"/namespaces/{world.other}/" in c.path and c.verb not in LOOKS]
    assert written == [], "nothing of another namespace was touched"
