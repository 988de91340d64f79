"""The state that a run leaves, in a form that can be compared with another run's: names, contents and owned fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from aistack.api.group import API_VERSION, FIELD_MANAGER, KIND
from aistack.api.labels import STACK
from aistack.cluster.client import Client
from aistack.cluster.live import Live, to_live
from aistack.cluster.records import Records, decode
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef
from tests.faults.calls import HASHES

KINDS = (
    ObjectKind("v1", "ConfigMap"),
    ObjectKind("v1", "PersistentVolumeClaim"),
    ObjectKind("v1", "Secret"),
    ObjectKind("v1", "Service"),
    ObjectKind("apps/v1", "Deployment"),
    ObjectKind("batch/v1", "Job"),
    ObjectKind("networking.k8s.io/v1", "NetworkPolicy"),
)
"""Every kind that the toy makes."""
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_DROPPED = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "ownerReferences")
_OF_JOBS = ("selector",)


@dataclass
class State:
    """All of one stack."""

    objects: dict[str, Any] = field(default_factory=dict)
    """By kind and name: what was asked for, and which fields are ours."""
    status: Any = None
    """The stack's own; None where it is gone."""
    records: dict[str, Any] = field(default_factory=dict)
    """The inventory, without UIDs and times."""
    faults: list[str] = field(default_factory=list)
    """What is wrong whatever the run without faults says: the inventory doesn't fit the objects."""

    def differences(self, other: State) -> list[str]:
        """Say how another state differs from this one."""
        found = [*_differences("", self.objects, other.objects), *_differences("record ", self.records, other.records)]
        if self.status != other.status:
            found.append(f"status: {_short(self.status)} became {_short(other.status)}")
        return found + other.faults


def _differences(what: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from (f"{what}{key} is missing" for key in sorted(before.keys() - after.keys()))
    yield from (f"{what}{key} is too much" for key in sorted(after.keys() - before.keys()))
    for key in sorted(before.keys() & after.keys()):
        if before[key] != after[key]:
            yield f"{what}{key}: {_first_difference(before[key], after[key])}"


def _first_difference(before: Any, after: Any, path: str = "") -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                return _first_difference(before.get(key), after.get(key), f"{path}.{key}")
    return f"{path}: {_short(before)} became {_short(after)}"


def _short(value: Any) -> str:
    return str(value)[:1500]


async def read(client: Client, namespace: str, name: str) -> State:
    """Read the state of a stack; pods and what controllers make aren't part of it."""
    state, lives = State(), {}
    for kind in KINDS:
        items = (await client.list(kind, namespace, labelSelector=f"{STACK}={name}")).result()["items"]
        for item in items:
            ref = ObjectRef(kind.api_version, kind.kind, namespace, item["metadata"]["name"])
            lives[ref] = to_live(item, kind, FIELD_MANAGER, False)
            state.objects[_free(state.objects, _key(ref))] = _plain(_asked(item), namespace)
    reply = await client.get(ObjectRef(API_VERSION, KIND, namespace, name))
    if reply.status != 404:
        live = reply.result()
        state.status = _plain(
            {"status": live.get("status"), "finalizers": live["metadata"].get("finalizers")}, namespace
        )
    records = await inventory(client, namespace, name)
    for ref, record in sorted(records.items()):
        state.records[_free(state.records, _key(ref))] = _plain(_told(record), namespace)
    state.faults = list(_mismatch(records, lives))
    return state


async def inventory(client: Client, namespace: str, name: str) -> Records:
    """Read the records of a stack; none where there is no inventory."""
    reply = await client.get(ObjectRef("v1", "ConfigMap", f"{namespace}-system", f"inventory.{namespace}.{name}"))
    return {} if reply.status == 404 else decode(reply.result())


def _mismatch(records: Records, lives: dict[ObjectRef, Live]) -> Iterator[str]:
    """Say where the inventory doesn't fit what is there. A Job may have vanished: that it was done is remembered."""
    for ref, live in lives.items():
        known = records.get(ref)
        if known is None:
            yield f"{_key(ref)} isn't in the inventory"
        elif known.uid != live.uid:
            yield f"{_key(ref)} has another UID than the inventory says"
        elif known.owned != live.owned and ref.kind != "Job" and not known.kept:
            yield f"{_key(ref)} isn't as the inventory says that we left it"
    for ref in records.keys() - lives.keys():
        if ref.kind != "Job":
            yield f"the inventory has {_key(ref)}, which isn't there"


def _free(taken: Mapping[str, Any], key: str) -> str:
    """Return a key that isn't taken: two Jobs may differ by the hash in their names alone."""
    while key in taken:
        key += "+"
    return key


def _key(ref: ObjectRef) -> str:
    return f"{ref.kind} {HASHES.sub('HASH', ref.name)}"


def _told(record: Any) -> dict[str, Any]:
    names = ("unit", "order", "contested", "retain", "kept", "base", "generation", "action")
    more = ("exclusive", "succeeded", "stale", "token", "asked")
    return {name: getattr(record, name) for name in (*names, *more)}


def _asked(item: Manifest) -> dict[str, Any]:
    metadata = {key: value for key, value in item["metadata"].items() if key not in _DROPPED}
    rest = {
        key: value for key, value in item.items() if key not in ("metadata", "status", "data", "apiVersion", "kind")
    }
    if item.get("kind") == "Secret" or "immutable" in item:
        rest["data"] = sorted(item.get("data") or {})  # generated values differ by nature
    else:
        rest["data"] = item.get("data")
    spec = rest.get("spec", {})
    if "clusterIP" in spec:
        rest["spec"] = {key: value for key, value in spec.items() if key not in ("clusterIP", "clusterIPs")}
    if "completions" in spec:
        template = {"spec": spec["template"]["spec"]}
        rest["spec"] = {key: value for key, value in spec.items() if key not in _OF_JOBS} | {"template": template}
        metadata["labels"] = {k: v for k, v in metadata["labels"].items() if not k.endswith("controller-uid")}
    return {"metadata": metadata, "owned": _owned(item), **rest}


def _owned(item: Manifest) -> list[Any]:
    """Which fields our manager owns, and how."""
    entries = item["metadata"].get("managedFields", [])
    return [[e["operation"], e["fieldsV1"]] for e in entries if e["manager"] == FIELD_MANAGER]


def _plain(value: Any, namespace: str) -> Any:
    """Take out what differs from run to run: the namespace, hashes that it is part of, and times."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode().replace(namespace, "NAMESPACE")
    return orjson.loads(HASHES.sub("HASH", _TIMES.sub("TIME", text)))
