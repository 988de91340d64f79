"""The immutable-field table: what is patched, what is made anew without loss, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.errors import SpecError
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject, Observed, Strategy
from aistack.planning.immutable import check_kept, strategy
from tests.toy import applied, plan

APPLY, RECREATE, ORPHAN = Strategy.APPLY, Strategy.RECREATE, Strategy.RECREATE_ORPHAN


def obj(kind: str, spec: dict[str, Any] | None = None, **more: Any) -> Manifest:
    return {"kind": kind, "metadata": {"name": "a"}, "spec": spec or {}, **more}


def selector(app: str) -> dict[str, Any]:
    return {"selector": {"matchLabels": {"app": app}}}


STRATEGIES: dict[str, tuple[Manifest, Manifest | None, Strategy]] = {
    "nothing-there": (obj("Deployment", selector("a")), None, APPLY),
    "same-selector": (obj("Deployment", selector("a")), obj("Deployment", selector("a")), APPLY),
    "other-selector": (obj("Deployment", selector("a")), obj("Deployment", selector("b")), RECREATE),
    "other-replicas": (obj("Deployment", {"replicas": 1}), obj("Deployment", {"replicas": 2}), APPLY),
    "set-s-selector": (obj("StatefulSet", selector("a")), obj("StatefulSet", selector("b")), ORPHAN),
    "set-s-service": (obj("StatefulSet", {"serviceName": "a"}), obj("StatefulSet", {"serviceName": "b"}), ORPHAN),
    "set-s-policy": (
        obj("StatefulSet", {"podManagementPolicy": "Parallel"}),
        obj("StatefulSet", {"podManagementPolicy": "OrderedReady"}),
        ORPHAN,
    ),
    "set-s-template": (obj("StatefulSet", {"template": {"a": 1}}), obj("StatefulSet", {"template": {"a": 2}}), APPLY),
    "daemon-set-s-selector": (obj("DaemonSet", selector("a")), obj("DaemonSet", selector("b")), RECREATE),
    "role-of-a-binding": (
        obj("RoleBinding", roleRef={"name": "a"}),
        obj("RoleBinding", roleRef={"name": "b"}),
        RECREATE,
    ),
    "subjects-of-a-binding": (obj("RoleBinding", subjects=[1]), obj("RoleBinding", subjects=[2]), APPLY),
    "headless-service": (obj("Service", {"clusterIP": "None"}), obj("Service", {"clusterIP": "10.0.0.1"}), RECREATE),
    "address-that-the-server-chose": (obj("Service", {"ports": []}), obj("Service", {"clusterIP": "10.0.0.1"}), APPLY),
    "config": (obj("ConfigMap", data={"a": "1"}), obj("ConfigMap", data={"a": "2"}), APPLY),
    "class-of-a-volume-that-never-came": (
        obj("PersistentVolumeClaim", {"storageClassName": "fast"}),
        obj("PersistentVolumeClaim", {"storageClassName": "fsat"}, status={"phase": "Pending"}),
        RECREATE,
    ),
    "size-of-a-volume-that-never-came": (
        obj("PersistentVolumeClaim", {"storageClassName": "fast"}),
        obj("PersistentVolumeClaim", {"storageClassName": "fast"}, status={"phase": "Pending"}),
        APPLY,
    ),
    "metadata-only": (obj("Deployment", selector("a")), {"kind": "Deployment", "metadata": {"name": "a"}}, APPLY),
}


@pytest.mark.parametrize(("desired", "live", "expected"), STRATEGIES.values(), ids=STRATEGIES)
def test_how_a_live_object_becomes_the_desired_one(
    desired: Manifest, live: Manifest | None, expected: Strategy
) -> None:
    assert strategy(desired, live) is expected


def volume(size: str = "10Gi", **spec: Any) -> Manifest:
    return obj("PersistentVolumeClaim", {"resources": {"requests": {"storage": size}}, **spec})


VOLUMES: dict[str, tuple[Manifest, Manifest, str]] = {
    "smaller": (volume("5Gi"), volume("10Gi"), "db.storage.size: volume a has 10Gi and can't shrink to 5Gi; write at"),
    "smaller-in-other-units": (volume("10G"), volume("10Gi"), "can't shrink to 10G; write at least 10Gi"),
    "smaller-than-an-exponent": (volume("1Gi"), volume("1e10"), "has 1e10 and can't shrink to 1Gi"),
    "another-class": (
        volume(storageClassName="fast"),
        volume(storageClassName="slow"),
        "spec.storage.className: a has spec.storageClassName 'slow', and it can't become 'fast'; put the old value",
    ),
    "another-class-where-a-volume-was-found-but-not-bound-yet": (
        volume(storageClassName="fast"),
        obj("PersistentVolumeClaim", {"storageClassName": "slow", "volumeName": "pv"}, status={"phase": "Pending"}),
        "can't become 'fast'",
    ),
    "another-class-of-a-volume-that-was-lost": (
        volume(storageClassName="fast"),
        obj("PersistentVolumeClaim", {"storageClassName": "slow", "volumeName": "pv"}, status={"phase": "Lost"}),
        "can't become 'fast'",
    ),
    "another-mode": (volume(accessModes=["ReadWriteMany"]), volume(accessModes=["ReadWriteOnce"]), "spec.accessModes"),
    "a-block-device": (volume(volumeMode="Block"), volume(volumeMode="Filesystem"), "spec.volumeMode"),
}


@pytest.mark.parametrize(("desired", "live", "says"), VOLUMES.values(), ids=VOLUMES)
def test_what_would_lose_data_is_refused(desired: Manifest, live: Manifest, says: str) -> None:
    with pytest.raises(SpecError) as refused:
        check_kept(desired, live, "db", "spec.storage.className")
    assert says in str(refused.value)


KEPT: dict[str, tuple[Manifest, Manifest | None]] = {
    "new": (volume(), None),
    "same": (volume(), volume()),
    "same-in-other-words": (volume("1024Mi"), volume("1Gi")),
    "larger": (volume("11Gi"), volume("10Gi")),
    "class-chosen-by-the-cluster": (volume(), volume(storageClassName="standard")),
    "bound": (volume(), volume(volumeName="pv-1")),
}


@pytest.mark.parametrize(("desired", "live"), KEPT.values(), ids=KEPT)
def test_what_loses_nothing_is_planned(desired: Manifest, live: Manifest | None) -> None:
    check_kept(desired, live, "db", "spec.storage.className")


def test_a_plan_that_would_shrink_a_volume_is_refused_as_a_whole() -> None:
    grown = applied(plan("{components: [{name: db, storage: {size: 50Gi}}]}"))
    with pytest.raises(SpecError) as refused:
        plan("{profile: toy}", grown)
    assert refused.value.field == "spec.components[db].storage.size"
    assert "demo-db-data has 50Gi and can't shrink to 5Gi" in refused.value.problem


CLASSES = {
    "of-the-stack": ("{components: [{name: db}], storage: {className: fast}}", "spec.storage.className"),
    "of-the-component": (
        "{components: [{name: db, storage: {className: fast}}], storage: {className: slow}}",
        "spec.components[db].storage.className",
    ),
}


@pytest.mark.parametrize(("spec", "field"), CLASSES.values(), ids=CLASSES)
def test_another_class_is_refused_where_it_is_written(spec: str, field: str) -> None:
    slow = applied(plan("{components: [{name: db}], storage: {className: slow}}"))
    with pytest.raises(SpecError) as refused:
        plan(spec, slow)
    assert refused.value.field == field
    assert "demo-db-data has spec.storageClassName 'slow', and it can't become 'fast'" in refused.value.problem


def test_only_volumes_are_kept() -> None:
    kept = {s.ref.kind for u in plan().plan.units for s in u.objects() if isinstance(s, ApplyObject) and s.retain}
    assert kept == {"PersistentVolumeClaim"}


def test_a_changed_selector_is_planned_as_a_recreation() -> None:
    observed = applied(plan())
    objects = {ref: dict(manifest) for ref, manifest in observed.objects.items()}
    ref = next(r for r in objects if (r.kind, r.name) == ("Deployment", "demo-db"))
    objects[ref]["spec"] = {**objects[ref]["spec"], **selector("old")}
    planned = plan(observed=Observed(objects, observed.secrets))
    strategies = {s.ref.name: s.strategy for u in planned.plan.units for s in u.run if s.strategy is not Strategy.APPLY}
    assert strategies == {"demo-db": RECREATE}
