"""Strategic merges, as kubectl makes them of the kinds that components are made of."""

from __future__ import annotations

from typing import Any

import pytest

from aistack.planning.merging import merged

POD = {
    "containers": [{"name": "a", "image": "x", "args": ["1"]}, {"name": "b"}],
    "volumes": [{"name": "tmp", "emptyDir": {}}],
}

MERGES: dict[str, tuple[Any, Any, Any]] = {
    "field": ({"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
    "deeper": ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
    "over-a-scalar": ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
    "plain-list": ({"args": ["1"]}, {"args": ["2"]}, {"args": ["2"]}),
    "by-name": (
        POD,
        {"containers": [{"name": "b", "image": "y"}, {"name": "c"}]},
        {**POD, "containers": [POD["containers"][0], {"name": "b", "image": "y"}, {"name": "c"}]},
    ),
    "env": (
        {"env": [{"name": "A", "value": "1"}]},
        {"env": [{"name": "A", "value": "2"}]},
        {"env": [{"name": "A", "value": "2"}]},
    ),
    "ports-of-a-service": (
        {"ports": [{"port": 80, "name": "http"}]},
        {"ports": [{"port": 81}]},
        {"ports": [{"port": 80, "name": "http"}, {"port": 81}]},
    ),
    "ports-of-a-container": (
        {"ports": [{"containerPort": 80}]},
        {"ports": [{"containerPort": 80, "name": "http"}]},
        {"ports": [{"containerPort": 80, "name": "http"}]},
    ),
    "mounts": ({"volumeMounts": []}, {"volumeMounts": [{"mountPath": "/x"}]}, {"volumeMounts": [{"mountPath": "/x"}]}),
    "deleted-entry": (POD, {"containers": [{"name": "a", "$patch": "delete"}]}, {**POD, "containers": [{"name": "b"}]}),
    "replaced-map": ({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}, {"a": {"c": 2}}),
    "replaced-list": (POD, {"volumes": [{"$patch": "replace"}, {"name": "x"}]}, {**POD, "volumes": [{"name": "x"}]}),
}


@pytest.mark.parametrize(("target", "patch", "result"), MERGES.values(), ids=MERGES)
def test_merges(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result


REFUSED = {
    "nameless": ({"containers": [{"image": "x"}]}, "an entry of containers has no name"),
    "no-map": ({"containers": ["x"]}, "an entry of containers has no name"),
    "name-of-a-list": ({"containers": [{"name": []}]}, "an entry of containers has no name"),
    "nothing-to-delete": ({"volumes": [{"name": "x", "$patch": "delete"}]}, "no entry whose name is 'x' to delete"),
    "delete-a-map": ({"a": {"$patch": "delete"}}, "only in an entry of a list"),
    "unknown-directive": ({"a": {"$patch": "explode"}}, "the directive $patch is unknown"),
    "unknown-word": ({"$retainKeys": ["a"]}, "the directive $retainKeys is unknown"),
}


@pytest.mark.parametrize(("patch", "says"), REFUSED.values(), ids=REFUSED)
def test_what_it_does_not_know_is_refused(patch: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("$", r"\$")):
        merged(POD, patch)


def test_what_is_there_is_not_changed() -> None:
    before = repr(POD)
    merged(POD, {"containers": [{"name": "a", "args": ["2"]}], "volumes": []})
    assert repr(POD) == before
