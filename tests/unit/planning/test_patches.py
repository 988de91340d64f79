"""Patches of the user's: what they reach, what they can't weaken, and errors that name the patch."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.errors import SpecError
from aistack.objects.manifest import Manifest
from tests.toy import find, plan, stack

FIELD = r"spec.components[db].patches"


def spec(*patches: Any) -> dict[str, Any]:
    return {"components": [{"name": "db", "patches": list(patches)}]}


def merge(part: Any, kind: str = "Deployment", **target: str) -> dict[str, Any]:
    return {"target": {"kind": kind, **target}, "strategicMerge": part}


def ops(*operations: dict[str, Any], kind: str = "Deployment") -> dict[str, Any]:
    return {"target": {"kind": kind}, "jsonPatch": list(operations)}


def pod(part: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": part}}}


def database(*patches: Any) -> Manifest:
    return find(plan(spec(*patches)), "Deployment", "demo-db")


def refuse(*patches: Any) -> str:
    with pytest.raises(SpecError) as refused:
        plan(spec(*patches))
    return str(refused.value)


CONTAINER = database()["spec"]["template"]["spec"]["containers"][0]["name"]


def test_both_kinds_of_patches_are_applied_in_their_order() -> None:
    found = database(
        merge(pod({"containers": [{"name": CONTAINER, "env": [{"name": "A", "value": "1"}]}]})),
        ops({"op": "replace", "path": "/spec/template/spec/containers/0/env/1/name", "value": "B"}),
        merge({"metadata": {"annotations": {"a": "b"}}}, name="demo-db"),
    )
    assert {"name": "B", "value": "1"} in found["spec"]["template"]["spec"]["containers"][0]["env"]
    assert found["metadata"]["annotations"] == {"a": "b"}


def test_a_json_patch_can_move_a_field() -> None:
    found = database(
        ops(
            {"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}},
            {"op": "move", "from": "/metadata/annotations/a", "path": "/metadata/annotations/c"},
        )
    )
    assert found["metadata"]["annotations"] == {"c": "b"}


def test_other_components_stay_as_they_are() -> None:
    both = {"profile": "toy", **spec(merge({"metadata": {"annotations": {"a": "b"}}}))}
    assert "annotations" not in find(plan(both), "Deployment", "demo-store")["metadata"]


def test_what_every_pod_is_held_to_stays() -> None:
    weaker = {"securityContext": {"runAsNonRoot": False, "seccompProfile": {"type": "Unconfined"}}}
    worse = {"name": CONTAINER, "securityContext": {"allowPrivilegeEscalation": True, "capabilities": {"add": ["X"]}}}
    found = database(merge(pod({**weaker, "containers": [worse]})))["spec"]["template"]["spec"]
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    security = found["containers"][0]["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing-met": (
        merge({}, "StatefulSet"),
        "[0].target: meets no object: StatefulSet; there are: Deployment demo-db",
    ),
    "no-such-name": (merge({}, name="demo-x"), "[0].target: meets no object: Deployment demo-x; there are: "),
    "policy": (merge({}, "NetworkPolicy"), "[0].target: meets no object: NetworkPolicy"),
    "secret": (merge({}, "Secret"), "[0].target: meets no object: Secret"),
    "no-such-field": (
        ops({"op": "remove", "path": "/spec/nope"}),
        "[0].jsonPatch: can't be applied to Deployment demo-db",
    ),
    "failed-test": (ops({"op": "test", "path": "/kind", "value": "x"}), "[0].jsonPatch: can't be applied"),
    "no-value": (ops({"op": "add", "path": "/spec/x"}), "[0].jsonPatch: can't be applied"),
    "other-name": (merge({"metadata": {"name": "x"}}), "what has another metadata.name"),
    "other-namespace": (merge({"metadata": {"namespace": "x"}}), "what has another metadata.namespace"),
    "other-kind": (merge({"kind": "Pod"}), "what has another kind"),
    "no-metadata": (ops({"op": "remove", "path": "/metadata"}), "what is no object"),
    "unreadable": (merge({"spec": {"replicas": "many"}}), "can't be read: spec.replicas must be a whole number"),
    "nameless": (merge(pod({"containers": [{"image": "x"}]})), "[0].strategicMerge: can't be applied"),
    "host-path": (
        merge(pod({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]})),
        "[0]: makes what isn't allowed: Deployment demo-db: volume 'x': hostPath is not allowed",
    ),
    "host-network": (merge(pod({"hostNetwork": True})), "hostNetwork is not allowed"),
    "image": (merge(pod({"containers": [{"name": CONTAINER, "image": "x"}]})), "its image is none of component.yaml's"),
    "role": (
        merge({"spec": {"template": {"metadata": {"labels": {"aistack.dev/role": "x"}}}}}),
        "its pods have no role",
    ),
}


@pytest.mark.parametrize(("patch", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_applied_is_refused_by_the_patch(patch: dict[str, Any], says: str) -> None:
    message = refuse(patch)
    assert message.startswith(FIELD)
    assert says in message


def test_the_second_patch_is_named_as_the_second() -> None:
    fine = merge({"metadata": {"annotations": {"a": "b"}}})
    assert refuse(fine, merge({}, "Pod")).startswith(f"{FIELD}[1].target")


def test_a_service_that_is_patched_away_is_missed() -> None:
    with pytest.raises(Exception, match="no template makes the Service demo-db"):
        plan(spec(merge({"$patch": "delete"}, "Service")))


def test_copies_of_copies_have_an_end() -> None:
    doubling = [{"op": "copy", "from": "/spec", "path": f"/spec/x{n}"} for n in range(32)]
    assert "it becomes larger than 1000000 bytes" in refuse(ops(*doubling))


SPEC_ERRORS: dict[str, tuple[Any, str]] = {
    "both": ({**merge({}), **ops({"op": "remove", "path": "/x"})}, "says how in two ways, or in none"),
    "none": ({"target": {"kind": "Pod"}}, "says how in two ways, or in none"),
    "pointer": (ops({"op": "remove", "path": "spec"}), "patches[0].jsonPatch[0].path"),
    "operation": (ops({"op": "explode", "path": "/spec"}), "patches[0].jsonPatch[0].op"),
    "kind": (merge({}, "deployment"), "patches[0].target.kind"),
    "null": (merge({"spec": {"replicas": None}}), "patches[0].strategicMerge.spec.replicas: is an explicit null"),
}


@pytest.mark.parametrize(("patch", "says"), SPEC_ERRORS.values(), ids=SPEC_ERRORS)
def test_a_patch_that_is_none_is_refused_when_it_is_read(patch: Any, says: str) -> None:
    with pytest.raises(SpecError) as refused:
        stack(spec(patch))
    assert says in str(refused.value)
