"""Reading AIStacks: what is taken, what is ignored, what is refused and with which words."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.api.parse import parse_stack, suggest
from aistack.api.spec import DeletionPolicy, DriftPolicy, PullPolicy, Size
from aistack.errors import SpecError
from tests.bad_stacks import BAD_STACKS, BadStack, stack


def test_the_three_line_stack_gets_the_documented_defaults() -> None:
    demo = parse_stack(stack("demo", "{profile: starter}"))

    assert (demo.name, demo.namespace, demo.uid, demo.generation) == ("demo", "", "", 0)
    assert demo.spec.profile == "starter"
    assert demo.spec.size is Size.SMALL
    assert demo.spec.components == ()
    assert demo.spec.images.pull_policy is PullPolicy.IF_NOT_PRESENT
    assert demo.spec.deletion_policy is DeletionPolicy.RETAIN
    assert demo.spec.drift is DriftPolicy.ENFORCE
    assert not demo.spec.suspend
    assert demo.status.observed_generation == -1


def test_a_full_spec_keeps_every_word() -> None:
    spec = """
      size: large
      components:
        - name: postgres
          version: '17'
          size: medium
          storage: {size: 100Gi, className: fast}
          scheduling: {nodeSelector: {disk: ssd}}
          suspend: true
        - name: mlflow
          enabled: false
          values: {workers: 4, hosts: [a, b], nested: {debug: true, ratio: 0.5, text: ''}}
      images: {registry: 'registry.example.com:5000/ai', pullSecrets: [{name: credentials}], pullPolicy: Always}
      storage: {className: slow}
      scheduling:
        tolerations: [{key: gpu, operator: Equal, value: 'yes', effect: NoExecute, tolerationSeconds: 60}]
        priorityClassName: high
      expose:
        host: ml.example.com
        gatewayRef: {name: company, namespace: gateways, sectionName: https}
        tls: {}
        annotations: {example.com/size: '0'}
      labels: {example.com/team: ml}
      annotations: {example.com/contact: 'ml@example.com, any time'}
      deletionPolicy: Delete
      drift: Warn
      suspend: true
    """
    manifest = stack("demo", spec)

    dumped = parse_stack(manifest).spec.model_dump(mode="json", by_alias=True, exclude_unset=True)

    assert dumped == manifest["spec"]


@pytest.mark.parametrize(
    "expose",
    [
        pytest.param("{host: localhost, className: nginx}", id="one-label"),
        pytest.param("{host: 10-0-0-7.nip.io, className: nginx, tls: {secretRef: {name: x}}}", id="secret"),
        pytest.param("{host: xn--bcher-kva.example, className: nginx, tls: {issuer: x}}", id="issuer"),
        pytest.param("{host: " + "a." * 115 + "bc, gatewayRef: {name: x, namespace: 9to5}}", id="longest-host"),
    ],
)
def test_ways_to_expose_a_stack(expose: str) -> None:
    manifest = stack("demo", f"{{profile: starter, expose: {expose}}}")

    dumped = parse_stack(manifest).spec.model_dump(mode="json", by_alias=True, exclude_unset=True)

    assert dumped == manifest["spec"]


def test_what_the_cluster_adds_to_an_object_is_read_or_ignored() -> None:
    manifest = stack("demo", "{profile: starter}")
    manifest["metadata"] |= {
        "namespace": "ml",
        "uid": "0000-1111",
        "generation": 7,
        "resourceVersion": "42",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionTimestamp": "2026-01-02T00:00:00Z",
        "finalizers": ["aistack.dev/finalizer"],
        "managedFields": [{"manager": "kubectl"}],
        "ownerReferences": [],
    }

    demo = parse_stack(manifest)

    assert (demo.namespace, demo.uid, demo.generation, demo.deleting) == ("ml", "0000-1111", 7, True)
    assert demo.metadata.finalizers == ("aistack.dev/finalizer",)


def test_components_are_found_by_name() -> None:
    demo = parse_stack(stack("demo", "{profile: starter, components: [{name: mlflow, size: large}]}"))

    assert demo.spec.component("mlflow").size is Size.LARGE
    assert demo.spec.component("postgres").size is None
    assert demo.spec.component("postgres").enabled


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"components": [{"name": "a", "phase": "Levitating"}]}, id="a-word-of-a-newer-operator"),
        pytest.param({"conditions": "none"}, id="a-wrong-shape"),
        pytest.param(None, id="none"),
    ],
)
def test_a_status_that_cannot_be_read_counts_as_none(status: Any) -> None:
    demo = parse_stack({**stack("demo", "{profile: starter}"), "status": status})

    assert demo.status.observed_generation == -1
    assert demo.status.components == ()


def test_fields_of_a_newer_operators_status_are_ignored() -> None:
    status = {"observedGeneration": 3, "weather": "fine", "edges": [{"from": "a", "to": "b", "contract": "s3"}]}

    demo = parse_stack({**stack("demo", "{profile: starter}"), "status": status})

    assert demo.status.observed_generation == 3
    assert (demo.status.edges[0].consumer, demo.status.edges[0].provider) == ("a", "b")


@pytest.mark.parametrize("bad", BAD_STACKS, ids=lambda bad: bad.id)
def test_bad_input_is_refused_with_field_reason_and_remedy(bad: BadStack) -> None:
    with pytest.raises(SpecError) as refused:
        parse_stack(bad.manifest)

    assert refused.value.field == bad.field
    assert bad.says in refused.value.problem
    assert bad.remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"apiVersion": "aistack.dev/v1"}, "apiVersion", id="version-that-does-not-exist"),
        pytest.param({"kind": "Stack"}, "kind", id="another-kind"),
        pytest.param({"kind": None}, "kind", id="no-kind"),
        pytest.param({"metadata": {}}, "metadata.name", id="no-name"),
        pytest.param({"metadata": None}, "metadata", id="no-metadata"),
        pytest.param({"spec": None}, "spec", id="no-spec"),
        pytest.param({"data": {}}, "data", id="field-of-another-kind"),
    ],
)
def test_objects_that_are_no_aistack_are_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_stack(stack("demo", "{profile: starter}") | change)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        pytest.param(10**30, "64-bit", id="integer-that-json-readers-would-round"),
        pytest.param(b"\x00", "not JSON serializable", id="bytes"),
    ],
)
def test_values_that_json_cannot_carry_are_refused(value: Any, meant: str) -> None:
    manifest = stack("demo", "{components: [{name: mlflow}]}")
    manifest["spec"]["components"][0]["values"] = {"workers": value}

    with pytest.raises(SpecError, match=meant):
        parse_stack(manifest)


def test_suggest_prefers_a_close_name_to_the_list() -> None:
    assert suggest("mlfow", ["mlflow", "postgres"]) == "did you mean 'mlflow'?"
    assert suggest("redis", ["postgres", "mlflow"]) == "choose one of: mlflow, postgres"
