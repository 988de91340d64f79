"""The store never goes back in time."""

from __future__ import annotations

from typing import Any

from aistack.cluster.live import Live, to_live
from aistack.cluster.store import Store
from aistack.objects.manifest import ObjectKind
from aistack.objects.plan import OwnerKey

KIND = ObjectKind("apps/v1", "Deployment")
LABEL = "aistack.dev/stack"


def live(version: int, name: str = "w", uid: str = "1", owner: str = "demo", **metadata: Any) -> Live:
    known = {"name": name, "namespace": "ml", "uid": uid, "resourceVersion": str(version), "labels": {LABEL: owner}}
    status = metadata.pop("status", {})
    return to_live({"metadata": known | metadata, "status": status}, KIND, "aistack", full=True)


def store() -> tuple[Store, list[OwnerKey]]:
    told: list[OwnerKey] = []
    return Store(LABEL, told.append), told


def test_an_older_state_never_replaces_a_newer_one() -> None:
    known, told = store()
    known.put(live(20))
    known.see(live(10))
    known.gone(live(15).ref, 15)

    assert known.get(live(0).ref) == live(20)
    assert told == []


def test_an_answer_that_comes_after_the_news_of_the_deletion_does_not_bring_the_object_back() -> None:
    known, _ = store()
    known.put(live(20))
    known.gone(live(0).ref, 22)
    known.passed(KIND, "", 22)
    known.put(live(21, deletionTimestamp="now"))
    assert known.get(live(0).ref) is None
    known.put(live(23, uid="2"))
    assert known.get(live(0).ref) == live(23, uid="2")


def test_own_writes_come_back_silently() -> None:
    known, told = store()
    known.put(live(20))
    known.see(live(20))

    assert told == []


def test_news_is_told_when_it_matters() -> None:
    known, told = store()
    known.see(live(1))
    assert told == [("ml", "demo")]
    known.see(live(2, annotations={"note": "x"}))
    assert len(told) == 1
    done = {"observedGeneration": None, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
    known.see(live(3, status=done))
    assert len(told) == 2
    known.gone(live(0).ref, 4)
    assert len(told) == 3


def test_a_list_without_an_object_deletes_it_unless_it_is_younger() -> None:
    known, _ = store()
    known.put(live(5, "old"))
    known.put(live(50, "young"))
    known.put(live(5, "kept"))
    known.replace(KIND, "", [live(5, "kept")], 20)

    assert [item.ref.name for item in known.of(("ml", "demo"))] == ["kept", "young"]


def test_a_list_of_one_namespace_leaves_the_others_alone() -> None:
    known, _ = store()
    known.put(live(5))
    known.put(live(5, namespace="other"))
    known.replace(KIND, "other", [], 20)

    assert known.of(("ml", "demo"))
    assert not known.of(("other", "demo"))


def test_an_object_that_changes_hands_leaves_its_owner() -> None:
    known, told = store()
    known.see(live(1))
    known.see(live(2, owner="other"))

    assert known.of(("ml", "demo")) == []
    assert ("ml", "other") in told


def test_objects_are_slim() -> None:
    last_applied = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "x"}
    slim = live(1, managedFields=[{"manager": "aistack", "operation": "Apply", "fieldsV1": {"f:x": {}}}],
                annotations=last_applied)  # fmt: skip

    assert slim.managed
    assert "managedFields" not in slim.manifest["metadata"]
    assert slim.manifest["metadata"]["annotations"] == {"kept": "x"}
