"""The operator with exactly the rights of its generated roles: nothing that it asks for is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aistack.api.group import ROTATE
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from aistack.pipeline import Pipeline
from tests.golden import shipped
from tests.integration.identities import RBAC, Operator
from tests.integration.stacklab import StackLab, condition

pytestmark = pytest.mark.integration

API = "aistack.dev/v1alpha1"
STARTER = "{profile: starter, deletionPolicy: %s}"
MORE = "{profile: starter, deletionPolicy: Retain, components: [{name: valkey}, {name: prometheus}]}"
EVENT, SECRET = ObjectKind("v1", "Event"), ObjectKind("v1", "Secret")


@pytest.fixture(params=["everywhere", "one namespace"])
async def operator(request: pytest.FixtureRequest, lab: StackLab) -> Operator:
    operator = Operator(lab, (lab.namespace,) if request.param == "one namespace" else ())
    await operator.grant()
    return operator


@pytest.fixture
async def pipeline(lab: StackLab, operator: Operator) -> AsyncIterator[Pipeline]:
    async with await operator.connect() as client, lab.operator(shipped(), client, served=operator.served) as pipeline:
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
    async with await operator.connect() as client:
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
