"""Field ownership: paths as the API server writes them, marks, and manifests without contested fields."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.cluster.fields import is_marked, manages, mark, marks, owned_fields, owned_hash, paths, without
from aistack.objects.manifest import Manifest

FIELDS = {
    "f:metadata": {"f:labels": {"f:app.kubernetes.io/name": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {"f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:image": {}}}}},
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:port": {}}},
        "f:finalizers": {'v:"demo/hold"': {}},
    },
}


def managed(manager: str = "aistack", operation: str = "Apply", **more: Any) -> dict[str, Any]:
    entry = {"manager": manager, "operation": operation, "fieldsV1": FIELDS, **more}
    return {"metadata": {"name": "x", "managedFields": [entry]}}


def test_paths_are_written_as_in_conflicts() -> None:
    assert list(paths(FIELDS)) == [
        ".metadata.labels.app.kubernetes.io/name",
        ".spec.replicas",
        '.spec.template.spec.containers[name="c"]',
        '.spec.template.spec.containers[name="c"].name',
        '.spec.template.spec.containers[name="c"].image',
        '.spec.ports[port=80,protocol="TCP"].port',
        '.spec.finalizers[="demo/hold"]',
    ]


@pytest.mark.parametrize(
    ("live", "owns", "manages_it"),
    [
        pytest.param(managed(), True, True, id="ours"),
        pytest.param(managed(operation="Update"), False, True, id="written by us, but not applied"),
        pytest.param(managed(subresource="status"), False, True, id="a subresource"),
        pytest.param(managed("kubectl"), False, False, id="somebody else's"),
        pytest.param({"metadata": {"name": "x"}}, False, False, id="no ownership at all"),
    ],
)
def test_only_applied_fields_are_owned(live: dict[str, Any], owns: bool, manages_it: bool) -> None:
    assert bool(owned_fields(live, "aistack")) is owns
    assert manages(live, "aistack") is manages_it


def test_the_hash_changes_with_each_write_to_the_fields() -> None:
    assert owned_hash(managed(time="now"), "aistack") == owned_hash(managed(time="now"), "aistack")
    assert owned_hash(managed(time="now"), "aistack") != owned_hash(managed(time="later"), "aistack"), "another value"
    assert owned_hash(managed(), "aistack") != owned_hash(managed("kubectl"), "aistack")


def test_marks_tell_which_paths_were_ours() -> None:
    joined = marks(managed(), "aistack")

    assert len(joined) == 4 * len(set(paths(FIELDS)))
    assert is_marked(".spec.replicas", joined)
    assert not is_marked(".spec.paused", joined)
    assert not is_marked(".spec.replicas", "")


def test_marks_are_compared_whole() -> None:
    one, other = mark(".a"), mark(".b")

    assert not is_marked(".a", (other + one[:2])[:4] + other)


MANIFEST: Manifest = {
    "metadata": {"name": "x", "annotations": {"demo.example/a": "1", "demo.example/a.b": "2"}},
    "spec": {
        "replicas": 3,
        "containers": [{"name": "c", "image": "one"}, {"name": "d", "image": "two"}],
        "ports": [{"port": 80}, {"port": 80, "protocol": "UDP"}],
        "finalizers": ["demo/hold", "demo/keep"],
    },
}


@pytest.mark.parametrize(
    ("path", "where", "left"),
    [
        pytest.param(".spec.replicas", "replicas", None, id="field"),
        pytest.param(
            '.spec.containers[name="d"].image',
            "containers",
            [{"name": "c", "image": "one"}, {"name": "d"}],
            id="field of a named item",
        ),
        pytest.param('.spec.containers[name="c"]', "containers", [{"name": "d", "image": "two"}], id="item"),
        pytest.param(
            '.spec.ports[port=80,protocol="TCP"]',
            "ports",
            [{"port": 80, "protocol": "UDP"}],
            id="item whose key has its default",
        ),
        pytest.param('.spec.finalizers[="demo/hold"]', "finalizers", ["demo/keep"], id="value of a set"),
        pytest.param(".spec.nothing", "replicas", 3, id="not there"),
    ],
)
def test_a_field_is_left_out(path: str, where: str, left: object) -> None:
    assert without(MANIFEST, [path])["spec"].get(where) == left


def test_names_with_dots_are_told_apart() -> None:
    result = without(MANIFEST, [".metadata.annotations.demo.example/a.b"])

    assert result["metadata"]["annotations"] == {"demo.example/a": "1"}
    assert MANIFEST["metadata"]["annotations"] == {"demo.example/a": "1", "demo.example/a.b": "2"}
