"""Shapes: a template that renders to a malformed object is named with the field; an empty field is one left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aistack.errors import CatalogError
from aistack.planning.plan import Planned
from tests.toy import plan, toy

SERVER = toy().components["db"].templates["server.yaml.j2"]
METADATA = "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: demo-db-x\n"


def plan_with(server: str = SERVER, more: str = "") -> Planned:
    """Plan db alone with another template of its server, and one more file."""
    db = toy().components["db"]
    templates = {"server.yaml.j2": server} | ({"x.yaml.j2": more} if more else {})
    return plan(
        "{components: [{name: db}]}", catalog=replace(toy(), components={"db": replace(db, templates=templates)})
    )


def swap(old: str, new: str) -> str:
    assert SERVER.count(old) == 1, f"{old!r} stands there {SERVER.count(old)} times"
    return SERVER.replace(old, new)


def of_kind(kind: str, rest: str = "") -> str:
    return METADATA.format(kind=kind) + rest


def pod(field: str) -> str:
    return swap("      containers:\n", f"      {field}\n      containers:\n")


def container(field: str) -> str:
    return swap("          args:\n", f"          {field}\n          args:\n")


EMPTY = {
    "labels": of_kind("ConfigMap", "  labels:\n"),
    "annotations": of_kind("ConfigMap", "  annotations:\n"),
    "data": of_kind("ConfigMap", "data:\n"),
    "spec-of-a-service": of_kind("Service", "spec: {ports: }\n"),
}
EMPTY_IN_PODS = {
    "init-containers": pod("initContainers:"),
    "security-context": pod("securityContext:"),
    "container-s-security-context": container("securityContext:"),
    "resources": container("resources:"),
    "environment-from": container("envFrom:"),
    "source-of-a-volume": swap("        - name: data\n", "        - {name: x, configMap: }\n        - name: data\n"),
    "projected": swap("        - name: data\n", "        - {name: x, projected: {sources: }}\n        - name: data\n"),
    "annotations-of-pods": swap("    spec:\n      containers", "      annotations:\n    spec:\n      containers"),
    "replicas": swap("replicas: 1", "replicas:"),
}


@pytest.mark.parametrize("more", EMPTY.values(), ids=EMPTY)
def test_an_empty_field_is_one_left_out(more: str) -> None:
    assert plan_with(more=more)


@pytest.mark.parametrize("server", EMPTY_IN_PODS.values(), ids=EMPTY_IN_PODS)
def test_an_empty_field_of_a_workload_is_one_left_out(server: str) -> None:
    assert plan_with(server).footprint == plan_with().footprint


WRONG = {
    "labels-as-a-list": (of_kind("ConfigMap", "  labels: [a]\n"), "metadata.labels"),
    "label-that-is-a-number": (of_kind("ConfigMap", "  labels: {a: 1}\n"), "metadata.labels.a"),
    "annotation-that-is-true": (of_kind("ConfigMap", "  annotations: {a: true}\n"), "metadata.annotations.a"),
    "set-without-spec": (of_kind("StatefulSet", "spec:\n"), "spec is missing"),
    "job-without-template": (of_kind("CronJob", "spec: {schedule: '* * * * *'}\n"), "spec.jobTemplate is missing"),
    "job-without-pods": (of_kind("CronJob", "spec: {jobTemplate: {spec: {}}}\n"), "spec.jobTemplate.spec.template"),
    "volume-without-size": (
        of_kind("PersistentVolumeClaim", "spec: {resources: {}}\n"),
        "spec.resources.requests is missing",
    ),
    "volume-of-a-size-that-is-none": (
        of_kind("PersistentVolumeClaim", "spec: {resources: {requests: {storage: big}}}\n"),
        "spec.resources.requests.storage must be a quantity such as 500m or 2Gi, not 'big'",
    ),
    "service-as-a-text": (of_kind("Service", "spec: hello\n"), "spec must be a map, not 'hello'"),
    "pods-of-a-kind-unknown-to-us": (
        of_kind("Rollout", "spec: {template: {spec: {}}}\n"),
        "containers is missing",
    ),
    "kind-that-is-a-list": ("apiVersion: v1\nkind: [a]\nmetadata: {name: demo-db-x}\n", "no Kubernetes object"),
}
WRONG_PODS = {
    "no-containers": (
        swap("      containers:\n", "      contaners:\n"),
        "spec.template.spec.containers is missing",
    ),
    "container-without-name": (swap("- name: server\n", "- tty: true\n"), "containers[0].name is missing"),
    "init-containers-as-a-map": (pod("initContainers: {a: b}"), "spec.template.spec.initContainers"),
    "security-context-as-a-text": (container("securityContext: none"), "containers[0].securityContext"),
    "ports-as-numbers": (swap("{name: sql, containerPort: 5432}", "5432"), "containers[0].ports[0]"),
    "environment-as-a-map": (container("envFrom: {a: b}"), "containers[0].envFrom"),
    "variable-without-name": (swap("- name: PASSWORD\n", "- nam: PASSWORD\n"), "containers[0].env[0].name"),
    "entry-of-a-list-that-is-empty": (
        swap("            - {name: sql, containerPort: 5432}\n", "            -\n"),
        "ports[0]",
    ),
    "probe-as-a-text": (container("livenessProbe: {httpGet: /}"), "containers[0].livenessProbe.httpGet"),
    "request-that-is-no-quantity": (container("resources: {requests: {cpu: lots}}"), "requests.cpu"),
    "volume-without-name": (swap("        - name: data\n          pers", "        - pers"), "spec.volumes[0].name"),
    "replicas-as-a-text": (
        swap("replicas: 1", 'replicas: "1"'),
        "spec.replicas must be a whole number from 0 on, not '1'",
    ),
    "replicas-that-are-no-number": (swap("replicas: 1", "replicas: .nan"), "spec.replicas"),
    "replicas-below-zero": (swap("replicas: 1", "replicas: -1"), "spec.replicas"),
}


@pytest.mark.parametrize(("more", "says"), WRONG.values(), ids=WRONG)
def test_a_malformed_object_is_refused_with_its_file_and_field(more: str, says: str) -> None:
    with pytest.raises(CatalogError) as refused:
        plan_with(more=more)
    assert refused.value.file == "components/db/templates/x.yaml.j2"
    assert says in refused.value.problem


@pytest.mark.parametrize(("server", "says"), WRONG_PODS.values(), ids=WRONG_PODS)
def test_a_malformed_workload_is_refused_with_its_file_and_field(server: str, says: str) -> None:
    with pytest.raises(CatalogError) as refused:
        plan_with(server)
    assert refused.value.file == "components/db/templates/server.yaml.j2"
    assert says in refused.value.problem
