"""The operator with exactly the rights of its generated roles: nothing that it asks for is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from aistack.api.group import FIELD_MANAGER, ROTATE
from aistack.cluster.client import Client
from aistack.cluster.transport import Call
from aistack.controller.rbac import rules
from aistack.controller.rights import Scope
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.pipeline import Pipeline
from tests.golden import shipped
from tests.integration.stacklab import StackLab, condition
from tests.roles import catalog_rights

pytestmark = pytest.mark.integration

API, RBAC = "aistack.dev/v1alpha1", "rbac.authorization.k8s.io/v1"
STARTER = "{profile: starter, deletionPolicy: %s}"
MORE = "{profile: starter, deletionPolicy: Retain, components: [{name: valkey}, {name: prometheus}]}"
EVENT, SECRET = ObjectKind("v1", "Event"), ObjectKind("v1", "Secret")


class Operator:
    """The operator's identity, its rights, and how the API server answered it."""

    def __init__(self, lab: StackLab, served: tuple[str, ...]) -> None:
        self.lab, self.served = lab, served
        self.name = f"system:serviceaccount:{lab.system}:operator"
        self.answers: Counter[tuple[str, str, int]] = Counter()

    async def grant(self) -> None:
        """Make the roles as the chart does, and bind them."""
        everywhere = () if self.served else (Scope.CLUSTER,)
        await self._role(self.lab.system, "inventories", Scope.OWN)
        for namespace in self.served or ("",):
            await self._role(namespace, f"{self.lab.namespace}-operator", Scope.SERVED, *everywhere)

    async def _role(self, namespace: str, name: str, *scopes: Scope) -> None:
        kind = "Role" if namespace else "ClusterRole"
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        role = {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": rules(catalog_rights(), scopes)}
        subject = {"kind": "User", "name": self.name, "apiGroup": "rbac.authorization.k8s.io"}
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        binding = {"apiVersion": RBAC, "kind": f"{kind}Binding", "metadata": metadata, "roleRef": ref}
        for manifest in (role, {**binding, "subjects": [subject]}):
            (await self.lab.client.create(manifest)).result()

    def note(self, call: Call) -> None:
        """Count an answer."""
        self.answers[call.verb, call.kind, call.status] += 1

    @property
    def refused(self) -> list[tuple[str, str, int]]:
        """What it asked for without the right to."""
        return [answer for answer in self.answers if answer[2] in (401, 403)]

    def did(self, verb: str, kind: str) -> bool:
        """Whether it had a good answer to such a request."""
        return any(answer[:2] == (verb, kind) and answer[2] in (200, 201) for answer in self.answers)


@pytest.fixture(params=["everywhere", "one namespace"])
async def operator(request: pytest.FixtureRequest, lab: StackLab) -> Operator:
    operator = Operator(lab, (lab.namespace,) if request.param == "one namespace" else ())
    await operator.grant()
    return operator


@pytest.fixture
async def pipeline(lab: StackLab, operator: Operator) -> AsyncIterator[Pipeline]:
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{lab.system}"]
    async with await Client.connect(FIELD_MANAGER, str(lab.cluster.kubeconfig_for(operator.name, groups))) as client:
        client.hooks.append(operator.note)
        async with lab.operator(shipped(), client, served=operator.served) as pipeline:
            yield pipeline


async def test_a_stack_lives_and_dies_and_nothing_is_refused(
    lab: StackLab, operator: Operator, pipeline: Pipeline
) -> None:
    await lab.create(STARTER % "Retain")
    first = await lab.until(pipeline, lambda live: live["status"].get("components"))
    assert "not found" not in str(first["status"]), "a binding was refused until its Role was known"
    await lab.converge(pipeline)
    await bind(lab)
    await lab.until(pipeline, lambda live: "app-report" in str(live["status"].get("edges")))
    await lab.change(MORE)
    await lab.converge(pipeline)
    await rotate(lab, pipeline)
    await spawn(lab)
    await drift(lab)
    await lab.converge(pipeline)
    await lab.delete()
    await lab.vanish(pipeline)
    assert await lab.lab.names(SECRET), "data and what opens it were kept"

    await lab.create(STARTER % "Delete")
    await lab.converge(pipeline)
    await unbind(lab)
    await lab.delete()
    await lab.vanish(pipeline)

    assert operator.refused == []
    for verb, kind in (("create", "Secret"), ("patch", "Secret"), ("apply", "RoleBinding"), ("delete", "Pod")):
        assert operator.did(verb, kind), f"{verb} {kind} was to be tried"


async def test_a_broken_connection_is_told_and_nothing_is_refused(
    lab: StackLab, operator: Operator, pipeline: Pipeline
) -> None:
    await lab.create("{components: [{name: postgres}], proofs: {every: 1h}}")
    await bind(lab)
    await lab.until(pipeline, lambda live: condition(live, "Proven")["status"] == "True")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": lab.namespace}}
    (await lab.client.create({**quota, "spec": {"hard": {"pods": "0"}}})).result()
    await unbind(lab)
    await lab.until(pipeline, lambda _: operator.did("list", "Event"))

    assert operator.refused == []


async def test_outside_of_its_namespaces_it_may_do_nothing(lab: StackLab, operator: Operator) -> None:
    groups = ["system:serviceaccounts"]
    async with await Client.connect(FIELD_MANAGER, str(lab.cluster.kubeconfig_for(operator.name, groups))) as client:
        reply = await client.get(ObjectRef("v1", "Secret", "kube-system", "any"))
        assert reply.status == (403 if operator.served else 404)
        for ref in (ObjectRef("v1", "Namespace", "", "default"), ObjectRef("v1", "Node", "", "any")):
            assert (await client.get(ref)).status == 403
        assert (await client.create(generous(lab))).status == 403, "it can't grant what it doesn't hold"


def generous(lab: StackLab) -> Manifest:
    metadata = {"name": "generous", "namespace": lab.namespace}
    rule = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}
    return {"apiVersion": RBAC, "kind": "Role", "metadata": metadata, "rules": [rule]}


async def bind(lab: StackLab) -> None:
    metadata = {"name": "report", "namespace": lab.namespace}
    spec = {"stack": lab.name, "contract": "postgres"}
    (await lab.client.create({"apiVersion": API, "kind": "AIBinding", "metadata": metadata, "spec": spec})).result()


async def unbind(lab: StackLab) -> None:
    ref = ObjectRef(API, "AIBinding", lab.namespace, "report")
    uid = (await lab.client.get(ref)).result()["metadata"]["uid"]
    (await lab.client.delete(ref, uid)).result()


async def rotate(lab: StackLab, pipeline: Pipeline) -> None:
    """Ask for new credentials, and wait until the former ones are gone."""
    ref = ObjectRef(API, "AIStack", lab.namespace, lab.name)
    patch = {"metadata": {"annotations": {ROTATE: "token-1 mlflow/postgres"}}}
    (await lab.client.merge(ref, patch)).result()

    async def rotated() -> set[str]:
        await lab.reconcile(pipeline)
        await lab.play()
        return {name for name in await lab.lab.names(SECRET) if name.startswith("demo-mlflow-postgres-")}

    await lab.eventually(rotated, lambda names: names == {"demo-mlflow-postgres-2"})


async def spawn(lab: StackLab) -> None:
    """Make a pod as the hub does."""
    labels = {"aistack.dev/stack": lab.name, "aistack.dev/component": "jupyterhub", "aistack.dev/spawned": "true"}
    metadata = {"name": "notebook", "namespace": lab.namespace, "labels": labels}
    spec = {"containers": [{"name": "notebook", "image": "x"}]}
    (await lab.client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})).result()


async def drift(lab: StackLab) -> None:
    """Take something away that the stack needs."""
    ref = ObjectRef("v1", "Service", lab.namespace, "demo-mlflow")
    uid = (await lab.client.get(ref)).result()["metadata"]["uid"]
    (await lab.client.delete(ref, uid)).result()
