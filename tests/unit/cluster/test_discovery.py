"""From kinds to paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aistack.cluster.discovery import Discovery, is_missing_kind
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectKind

POD, ROLE = ObjectKind("v1", "Pod"), ObjectKind("rbac.authorization.k8s.io/v1", "ClusterRole")


def group(name: str, kind: str, plural: str, scope: str) -> dict[str, Any]:
    resource = {"resource": plural, "responseKind": {"kind": kind}, "scope": scope}
    return {"metadata": {"name": name} if name else {}, "versions": [{"version": "v1", "resources": [resource]}]}


class Server:
    """A cluster that learns about Pods at the second look."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def read(self, path: str) -> Mapping[str, Any]:
        self.asked.append(path)
        if path == "/apis":
            return {"items": [group("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", "Cluster")]}
        return {"items": [group("", "Pod", "pods", "Namespaced")] if len(self.asked) > 2 else []}


async def test_kinds_are_asked_for_once_and_again_when_one_is_missing() -> None:
    server = Server()
    discovery = Discovery(server.read)
    assert str(await discovery.resource(ROLE)) == "clusterroles.rbac.authorization.k8s.io"
    await discovery.resource(ROLE)
    assert server.asked == ["/api", "/apis"]
    assert str(await discovery.resource(POD)) == "pods"
    assert len(server.asked) == 4
    discovery.forget(POD)
    await discovery.resource(POD)
    assert len(server.asked) == 6


async def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ClusterError, match="no kind Nope in x/v1") as error:
        await Discovery(Server().read).resource(ObjectKind("x/v1", "Nope"))
    assert error.value.status == 404


async def test_what_brings_a_missing_kind_is_told_where_it_is_known() -> None:
    with pytest.raises(ClusterError, match=r"no kind HTTPRoute in .*; install the Gateway API's definitions"):
        await Discovery(Server().read).resource(ObjectKind("gateway.networking.k8s.io/v1", "HTTPRoute"))


async def test_an_unknown_kind_is_told_from_an_answer_that_names_none() -> None:
    async def proxy(_: str) -> Mapping[str, Any]:
        return {"text": "<html>", "message": "<html>"}

    with pytest.raises(ClusterError) as unknown:
        await Discovery(Server().read).resource(ObjectKind("x/v1", "Nope"))
    with pytest.raises(ClusterError, match="isn't a list of them") as garbled:
        await Discovery(proxy).resource(POD)
    assert is_missing_kind(unknown.value)
    assert not is_missing_kind(garbled.value)
    assert not is_missing_kind(ClusterError("list pods: not found", 404, "NotFound"))


@pytest.mark.parametrize(
    ("kind", "parts", "path"),
    [
        (POD, (), "/api/v1/pods"),
        (POD, ("ml",), "/api/v1/namespaces/ml/pods"),
        (POD, ("ml", "p", "log"), "/api/v1/namespaces/ml/pods/p/log"),
        (ROLE, ("", "r"), "/apis/rbac.authorization.k8s.io/v1/clusterroles/r"),
    ],
    ids=["all namespaces", "one namespace", "subresource", "cluster-scoped"],
)
async def test_paths(kind: ObjectKind, parts: tuple[str, ...], path: str) -> None:
    discovery = Discovery(Server().read)
    await discovery.resource(ROLE)

    assert (await discovery.resource(kind)).path(*parts) == path
