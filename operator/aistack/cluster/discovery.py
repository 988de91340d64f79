"""From kinds to request paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectKind

ACCEPT = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
"""Aggregated discovery: all kinds of all groups in two requests."""
NO_SUCH_KIND = "NoSuchKind"
"""Reason of the error that says that the cluster doesn't know a kind; any other 404 may be a proxy's."""
_BROUGHT_BY = {"gateway.networking.k8s.io/v1": "install the Gateway API's definitions (gateway-api.sigs.k8s.io)"}
"""What brings kinds that not every cluster has."""


def is_missing_kind(error: BaseException | None) -> bool:
    """Whether the cluster itself said that it doesn't know a kind, so that no object of it exists."""
    return isinstance(error, ClusterError) and error.reason == NO_SUCH_KIND


@dataclass(frozen=True)
class Resource:
    """How a kind is addressed."""

    api_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the request path of one object, or of the collection when ``name`` is empty."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        # Some names are what a user wrote about an object of his: none of them leads elsewhere.
        parts = [root + scope, self.plural, quote(name, safe=":"), subresource]
        return "/".join(part for part in parts if part)

    def __str__(self) -> str:
        group = self.api_version.rpartition("/")[0]
        return f"{self.plural}.{group}" if group else self.plural


class Discovery:
    """Cached kinds of the cluster, read again when one is missing.

    Args:
        read: fetches a discovery document from a path.
    """

    def __init__(self, read: Callable[[str], Awaitable[Mapping[str, Any]]]) -> None:
        self._read = read
        self._resources: dict[ObjectKind, Resource] = {}

    async def resource(self, kind: ObjectKind) -> Resource:
        """Find how to address a kind.

        Raises:
            ClusterError: the cluster doesn't know it (404), or can't be asked.
        """
        if kind not in self._resources:
            await self._refresh()
        if kind not in self._resources:
            raise ClusterError(_missing(kind), 404, NO_SUCH_KIND)
        return self._resources[kind]

    def forget(self, kind: ObjectKind) -> None:
        """Ask the cluster again before this kind is used next: its definition may have been removed."""
        self._resources.pop(kind, None)

    async def _refresh(self) -> None:
        documents = [await self._read("/api"), await self._read("/apis")]
        if any("items" not in document for document in documents):
            raise ClusterError("ask for the cluster's kinds: the answer isn't a list of them")
        self._resources = {kind: resource for document in documents for kind, resource in _resources(document)}


def _missing(kind: ObjectKind) -> str:
    remedy = _BROUGHT_BY.get(kind.api_version, "")
    return f"the cluster has no kind {kind.kind} in {kind.api_version}" + (f"; {remedy}" if remedy else "")


def _resources(document: Mapping[str, Any]) -> Iterator[tuple[ObjectKind, Resource]]:
    for group in document["items"]:
        for version in group["versions"]:
            name = group["metadata"].get("name", "")
            api_version = f"{name}/{version['version']}" if name else version["version"]
            for resource in version.get("resources", []):
                found = Resource(api_version, resource["resource"], resource["scope"] == "Namespaced")
                yield ObjectKind(api_version, resource["responseKind"]["kind"]), found
