"""Bad input: one table, a row for each kind that the project promises to answer well.

Each row starts from a stack that runs on the real API server, does one thing wrong, and asserts: the message names the
field or the object, what is wrong and what to do; the status has the documented reason; what ran stays as it is, to
the resourceVersion; nothing of anybody else's is taken over. What needs a kubelet is proven by tests/e2e: the row
names that test, and the table fails if it isn't there.
"""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from aistack.catalog.models import Catalog
from aistack.cluster.client import Client
from aistack.errors import ForbiddenError
from aistack.objects.manifest import ref_of
from tests.integration.identities import grant, user
from tests.integration.stacklab import StackLab, condition
from tests.toy import toy

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DB = "{name: db, storage: {size: 9Gi}}"
RUNS_FIRST = "{components: [" + DB + "]}"
"""What runs before anything goes wrong."""


@dataclass(frozen=True)
class Row:
    """One wrong thing.

    Args:
        about: the kind of bad input, in the words of the promise.
        spec: the spec that is applied.
        says: fragments of the status' message: where, what is wrong, what to do.
        reason: of the condition Ready.
        spoil: done to the world before.
        catalog: what the operator has instead of the toy.
        refused: the API server itself refuses the spec, with these words.
        stalled: whether only a person can help.
    """

    about: str
    spec: str
    says: tuple[str, ...]
    reason: str = "InvalidSpec"
    spoil: Callable[[StackLab], Awaitable[None]] | None = None
    catalog: Catalog | None = None
    refused: bool = False
    stalled: bool = True


async def somebody_elses_service(lab: StackLab) -> None:
    """Make a Service of the name that the stack will want."""
    spec = {"ports": [{"port": 1}]}
    metadata = {"name": "demo-store", "namespace": lab.namespace}
    async with await lab.lab.stranger() as stranger:
        (await stranger.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})).result()


def unparsable() -> Catalog:
    """The toy with a template whose result is no YAML."""
    store = toy().components["store"]
    broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ name() }}\n{% if true %}\n data: 1\n{% endif %}\n"
    component = replace(store, templates={"broken.yaml.j2": broken})
    return replace(toy(), components={**toy().components, "store": component})


ROWS = {
    "unknown-profile": Row(
        "unknown profile",
        "{profile: tyo, components: [{name: db}]}",
        ("spec.profile: no profile is named 'tyo'", "did you mean 'toy'?"),
    ),
    "unknown-component": Row(
        "unknown component",
        "{components: [{name: db}, {name: stroe}]}",
        ("spec.components[stroe].name: no component is named 'stroe'", "did you mean 'store'?"),
    ),
    "unknown-version": Row(
        "unknown version",
        "{components: [{name: db, version: '99'}]}",
        ("spec.components[db].version: '99' is not in the catalog", "choose one of: 2, 1"),
    ),
    "unknown-value": Row(
        "unknown value",
        "{components: [{name: db, values: {maxConections: 5}}]}",
        ("spec.components[db].values.maxConections: is not a value", "did you mean 'maxConnections'?"),
    ),
    "wrong-type": Row(
        "a value of the wrong type",
        "{components: [{name: db, values: {maxConnections: many}}]}",
        ("spec.components[db].values.maxConnections: 'many' is not of type 'integer'", "Most sessions at a time"),
    ),
    "two-providers": Row(
        "two providers of one contract",
        "{components: [{name: db}, {name: rival}]}",
        ("spec.components[rival]: provides the contract 'sql', and so does 'db'", "disable one of them"),
    ),
    "missing-provider": Row(
        "a missing provider",
        "{components: [{name: db}, {name: web}]}",
        ("spec.components[web]: needs the contract 'blob'", "enable one of: store"),
    ),
    "cycle": Row(
        "a cycle",
        "{components: [{name: db}, {name: ping}, {name: pong}]}",
        ("spec.components: these components need each other: ", "ping", "pong", "disable one of them"),
    ),
    "name-too-long": Row(
        "a name too long for the objects it makes",
        "{profile: toy, components: [" + DB + ", {name: web, values: {users: [" + "a" * 60 + "]}}]}",
        ("spec.components[web].values.users[0]: 'aaaa", "has 60 characters", "write at most 49 characters"),
    ),
    "unparsable-manifest": Row(
        "an unparsable manifest",
        "{components: [" + DB + ", {name: store}]}",
        ("components/store/templates/broken.yaml.j2: renders to unparsable YAML", "line 5 of the result"),
        reason="InvalidCatalog",
        catalog=unparsable(),
    ),
    "shrunk-volume-in-the-spec": Row(
        "a shrunk volume",
        "{components: [{name: db, storage: {size: 4Gi}}]}",
        ("can't shrink, as Kubernetes only grows volumes", "write at least the old size"),
        refused=True,
    ),
    "shrunk-volume-by-leaving-its-size-out": Row(
        "a shrunk volume",
        "{components: [{name: db}]}",
        ("spec.components[db].storage.size: volume demo-db-data has 9Gi and can't shrink to 5Gi", "write at least 9Gi"),
    ),
    "foreign-object": Row(
        "an object of the same name that isn't ours",
        "{components: [" + DB + ", {name: store}]}",
        ("demo-store exists and was not made by this stack", "delete or rename it"),
        reason="ForeignObject",
        spoil=somebody_elses_service,
    ),
}

ELSEWHERE = {
    "a namespace that doesn't exist": "tests/integration/test_bad_input.py::test_a_namespace_that_does_not_exist",
    "no permission": "tests/integration/test_bad_input.py::test_no_permission",
    "an image that can't be pulled": "tests/e2e/test_bad_world.py::test_an_image_that_cannot_be_pulled",
    "an unbindable volume": "tests/e2e/test_bad_world.py::test_a_volume_that_cannot_be_bound",
    "a Secret someone deleted": "tests/integration/test_bad_input.py::test_a_secret_someone_deleted",
}
"""Rows that need a world of their own, and the test that makes it."""

PROMISED = {
    "unknown profile",
    "unknown component",
    "unknown version",
    "unknown value",
    "a value of the wrong type",
    "two providers of one contract",
    "a missing provider",
    "a cycle",
    "a name too long for the objects it makes",
    "an unparsable manifest",
    "a namespace that doesn't exist",
    "no permission",
    "an image that can't be pulled",
    "an unbindable volume",
    "a shrunk volume",
    "a Secret someone deleted",
    "an object of the same name that isn't ours",
}


def test_every_promise_has_a_row() -> None:
    assert {row.about for row in ROWS.values()} | ELSEWHERE.keys() == PROMISED


@pytest.mark.parametrize("where", ELSEWHERE.values(), ids=ELSEWHERE)
def test_rows_elsewhere_are_there(where: str) -> None:
    file, _, name = where.partition("::")
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {n.name for n in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(n, functions)}
    assert name in found


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
async def test_bad_input_is_told_and_what_runs_stays(lab: StackLab, row: Row) -> None:
    await lab.create(RUNS_FIRST)
    async with lab.operator() as operator:
        await lab.converge(operator)
    if row.spoil:
        await row.spoil(lab)
    before = await lab.versions()
    if row.refused:
        reply = await lab.client.replace({**await lab.live(), "spec": lab.manifest(row.spec)["spec"]})
        assert reply.status == 422
        assert all(words in reply.message for words in row.says), reply.message
        return
    await lab.change(row.spec)
    async with lab.operator(row.catalog) as operator:
        live = await lab.reconcile(operator)
    message = live["status"]["message"]
    assert all(words in message for words in row.says), message
    assert condition(live, "Ready")["reason"] == row.reason
    assert condition(live, "Ready")["status"] == "False"
    assert (condition(live, "Stalled")["status"] == "True") is row.stalled
    assert live["status"]["observedGeneration"] == live["metadata"]["generation"]
    after = await lab.versions()
    assert {name: after.get(name) for name in before} == before, "what ran, and what others own, stays as it was"


async def test_a_foreign_object_is_left_alone_and_the_stack_goes_on_once_it_is_gone(lab: StackLab) -> None:
    await somebody_elses_service(lab)
    await lab.create("{components: [{name: store}]}")
    async with lab.operator() as operator:
        await lab.settle(operator, "demo-store exists and was not made by this stack")
        foreign = await lab.must("Service", "demo-store")
        assert "labels" not in foreign["metadata"]
        await lab.client.delete(ref_of(foreign), foreign["metadata"]["uid"])
        live = await lab.converge(operator)
        assert condition(live, "Stalled")["status"] == "False"


async def test_a_foreign_object_survives_the_stack_that_wanted_its_name(lab: StackLab) -> None:
    await somebody_elses_service(lab)
    foreign = await lab.must("Service", "demo-store")
    await lab.create("{components: [{name: store}], deletionPolicy: Delete}")
    async with lab.operator() as operator:
        await lab.settle(operator, "demo-store exists and was not made by this stack")
        await lab.delete()
        await lab.vanish(operator)
    assert await lab.must("Service", "demo-store") == foreign


async def test_a_secret_someone_deleted(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    async with lab.operator() as operator:
        await lab.converge(operator)
        store = await lab.must("Deployment", "demo-store")
        secret = await lab.must("Secret", "demo-web-sql-1")
        await lab.client.delete(ref_of(secret), secret["metadata"]["uid"])
        seen: list[str] = []

        async def healed() -> bool:
            seen.append((await lab.reconcile(operator))["status"]["message"])
            await lab.play()
            return bool(await lab.get("Secret", "demo-web-sql-2"))

        await lab.eventually(healed, lambda done: done)
        live = await lab.converge(operator)
    assert condition(live, "Stalled")["status"] == "False"
    assert any("web: claims its share of sql" in message for message in seen), f"while it heals status says so: {seen}"
    assert "demo-web-sql-2" in repr((await lab.must("Deployment", "demo-web"))["spec"]), "its pods have the new one"
    assert await lab.get("Secret", "demo-web-sql-1") is None
    assert (await lab.must("Deployment", "demo-store"))["spec"] == store["spec"]


async def test_a_namespace_that_does_not_exist(lab: StackLab) -> None:
    manifest = lab.manifest("{profile: toy}")
    manifest["metadata"]["namespace"] = "no-such-namespace"
    reply = await lab.client.create(manifest)
    assert reply.status == 404
    assert 'namespaces "no-such-namespace" not found' in reply.message


async def test_no_permission(lab: StackLab) -> None:
    await lab.create(RUNS_FIRST)
    async with lab.operator() as operator:
        await lab.converge(operator)
    before = await lab.versions()
    await lab.change("{components: [" + DB + ", {name: store}]}")
    async with await _limited(lab) as client, lab.operator(client=client) as operator:
        with pytest.raises(ForbiddenError):
            await operator.reconcile(await lab.live())
    live = await lab.live()
    message = live["status"]["message"]
    assert condition(live, "Ready")["reason"] == "Forbidden"
    assert condition(live, "Stalled")["status"] == "False", "it is tried again: a right may be granted at any time"
    assert "Service" in message, message
    assert 'cannot patch resource "services"' in message
    after = await lab.versions()
    assert {name: after.get(name) for name in before} == before


async def _limited(lab: StackLab) -> Client:
    """Log in as an operator that may do everything but write Services."""
    name, look = f"limited-{lab.namespace}", ["get", "list", "watch"]
    rules: list[dict[str, Any]] = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": look},
        {"apiGroups": ["aistack.dev"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps", "secrets", "persistentvolumeclaims"], "verbs": ["*"]},
        {"apiGroups": ["apps", "batch", "networking.k8s.io"], "resources": ["*"], "verbs": ["*"]},
    ]
    await grant(lab, "", name, rules, user(name))
    return await Client.connect("aistack", str(lab.cluster.kubeconfig_for(name)))
