"""Stacks at the limits: thousands of objects, values of nearly a megabyte, text of any kind, deep trees."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from dataclasses import replace
from typing import Any

import pytest

from aistack.catalog.models import Catalog, Component, ComponentSpec
from aistack.cluster.inventories import PREFIX
from aistack.cluster.settings import CONFIG_MAP
from aistack.objects.manifest import Manifest
from tests.integration.stacklab import StackLab, condition
from tests.toy import toy

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

FILES, EACH = 10, 500
OBJECTS = FILES * EACH
MANY = """{% for n in range(values.count) %}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name("FILE-" ~ n) }}
data:
  key: {{ values.text }}
{% endfor %}
"""
TREE = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name("tree") }}
data:
  tree: {{ json_text(values.tree) }}
"""
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "count": {"type": "integer", "minimum": 0, "default": 1, "description": "How many in each file."},
        "text": {"type": "string", "default": "x", "description": "What is in them."},
        "tree": {"default": {}, "description": "Anything."},
    },
}


def bulk() -> Catalog:
    """The toy with a component that makes as many objects as it is told."""
    about = {
        "title": "Bulk",
        "about": "Much.",
        "category": "test",
        "licence": "Apache-2.0",
        "home": "https://b.example",
    }
    spec = ComponentSpec.model_validate({"name": "bulk", "versions": ["1"], **about})
    templates = {f"c{file}.yaml.j2": MANY.replace("FILE", f"c{file}") for file in range(FILES)} | {"tree.yaml.j2": TREE}
    component = Component(spec, SCHEMA, templates, {}, "components/bulk")
    catalog = toy()
    return replace(catalog, components={**catalog.components, "bulk": component})


def spec_of(**values: Any) -> Manifest:
    """A stack of that component alone."""
    return {"components": [{"name": "bulk", "values": values}], "proofs": {"every": "off"}}


async def test_a_stack_of_five_thousand_objects(lab: StackLab) -> None:
    (await lab.client.create(lab.manifest(spec_of(count=EACH)))).result()
    async with lab.operator(bulk()) as operator:
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        lab.calls.clear()
        await lab.converge(operator)
        took, grew = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(f"{OBJECTS} objects in {took:.1f} s, {grew / 1024:.0f} MiB more at the peak; calls: {lab.calls}")
        assert lab.calls["apply", "ConfigMap"] == OBJECTS + 1
        lab.calls.clear()
        await lab.reconcile(operator)
        assert not lab.writes()
        found = (await lab.client.list(CONFIG_MAP, lab.system)).result()["items"]
        (kept,) = [item for item in found if item["metadata"]["name"].startswith(PREFIX)]
        assert len(kept["binaryData"]["objects.json.z"]) < 700_000, "the API server takes 1 MiB"
    async with lab.operator(bulk()) as operator:
        lab.calls.clear()
        await lab.reconcile(operator)
        assert not lab.writes(), "after a restart nothing is written"
        (
            await lab.client.replace({**await lab.live(), "spec": {**spec_of(count=0), "deletionPolicy": "Delete"}})
        ).result()
        await lab.delete()
        await lab.vanish(operator)


TEXTS = {
    "nearly-a-megabyte": "x" * 900_000,
    "any-script": "日本語 العربية עברית \u202e 🦜 \U0001f9d1\u200d\U0001f52c é e\u0301 \u0000 \t",
    "markup": "{{ name() }} {% raw %} # : - &a *a !!x ' \" ${HOME} $(id) `id`",
    "lines": "a: b\r\n- c\n\n---\n...\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_a_text_arrives_as_it_was_written(lab: StackLab, text: str) -> None:
    (await lab.client.create(lab.manifest(spec_of(text=text)))).result()
    async with lab.operator(bulk()) as operator:
        await lab.converge(operator)
        lab.calls.clear()
        await lab.reconcile(operator)
        assert not lab.writes()
    assert (await lab.must("ConfigMap", "demo-bulk-c3-0"))["data"] == {"key": text}


async def test_a_text_that_no_object_can_hold_is_told(lab: StackLab) -> None:
    (await lab.client.create(lab.manifest(spec_of(text="x" * 1_100_000)))).result()
    async with lab.operator(bulk()) as operator:
        live = await lab.reconcile(operator)
    assert "ConfigMap" in live["status"]["message"]
    assert "Too long" in live["status"]["message"]
    assert condition(live, "Stalled")["status"] == "True"


@pytest.mark.parametrize(("depth", "wide"), [(50, 1), (1, 5000)], ids=["deep", "wide"])
async def test_a_tree_arrives_as_it_was_written(lab: StackLab, depth: int, wide: int) -> None:
    tree = nested(depth, {f"key{n}": n for n in range(wide)})
    (await lab.client.create(lab.manifest(spec_of(tree=tree)))).result()
    async with lab.operator(bulk()) as operator:
        await lab.converge(operator)
    assert json.loads((await lab.must("ConfigMap", "demo-bulk-tree"))["data"]["tree"]) == tree


@pytest.mark.parametrize("depth", [101, 250, 400, 3000])
async def test_a_tree_too_deep_is_told(lab: StackLab, depth: int) -> None:
    manifest = lab.manifest(spec_of())
    values = '{"tree": ' + '{"a": ' * depth + "1" + "}" * depth + "}"
    text = json.dumps(manifest).replace('"values": {}', f'"values": {values}')
    as_text(lab, text)
    async with lab.operator(bulk()) as operator:
        live = await lab.reconcile(operator)
    assert "spec.components[0].values.tree.a.a.a: is nested deeper" in live["status"]["message"]
    assert condition(live, "Stalled")["status"] == "True"


def nested(depth: int, inner: Any) -> Any:
    """Put something so many levels deep."""
    for _ in range(depth):
        inner = {"a": inner}
    return inner


def as_text(lab: StackLab, text: str) -> None:
    """Create an object as text: our own client could not write it."""
    kubectl = [str(lab.cluster.kubectl), "--kubeconfig", str(lab.cluster.kubeconfig)]
    subprocess.run([*kubectl, "create", "--validate=ignore", "-f", "-"], input=text, text=True, check=True)
