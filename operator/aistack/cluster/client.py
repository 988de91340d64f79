"""Verbs on objects, authenticated: the only module that imports ``kubernetes``.

That package loads credentials and keeps them fresh; requests themselves are plain aiohttp with orjson, which costs a
fraction of its typed models.
"""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientWebSocketResponse
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import ApiClient, Configuration
from yaml import YAMLError

from aistack.cluster.account import Account
from aistack.cluster.discovery import ACCEPT as DISCOVERY
from aistack.cluster.discovery import Discovery
from aistack.cluster.replies import Reply
from aistack.cluster.transport import JSON, Fence, Hook, Request, Server, Transport
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef, ref_of

APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
REVIEW = ObjectKind("authorization.k8s.io/v1", "SelfSubjectAccessReview")
KIND_OF_SCHEMA = "x-kubernetes-group-version-kind"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def _kubeconfig(given: str) -> str:
    return given or os.environ.get("KUBECONFIG", "") or str(Path("~/.kube/config").expanduser())


def _in_cluster(path: str) -> bool:
    """Whether to log in as the pod's service account: inside a cluster, unless a kubeconfig is there."""
    there = any(Path(part).is_file() for part in path.split(os.pathsep))
    return not there and "KUBERNETES_SERVICE_HOST" in os.environ


async def load_configuration(kubeconfig: str = "", context: str = "") -> Configuration:
    """Read credentials: the given kubeconfig, ``$KUBECONFIG``, the default file, or the pod's service account.

    Raises:
        ClusterError: there are none, or they can't be read.
    """
    configuration = Configuration()
    path = _kubeconfig(kubeconfig)
    try:
        if not kubeconfig and _in_cluster(path):
            kube_config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # no annotations there
        else:
            await kube_config.load_kube_config(path, context or None, configuration, False)  # type: ignore[no-untyped-call]
    except (kube_config.ConfigException, OSError) as error:
        raise ClusterError(f"no usable credentials for a cluster in {path}: {error}") from error
    except (YAMLError, AttributeError, RecursionError, TypeError, ValueError) as error:
        # The package trusts what it reads, and its words may quote the file: it holds keys.
        raise ClusterError(f"{path} is no kubeconfig; kubectl config view says what is wrong with it") from error
    return configuration


def _server(configuration: Configuration, agent: str) -> Server:
    async def credentials() -> Mapping[str, str]:
        token = (await configuration.auth_settings()).get("BearerToken")
        return {"Authorization": token["value"]} if token and token["value"] else {}

    # The package's own client makes the TLS context from every form that a kubeconfig may have.
    tls = ApiClient(configuration).rest_client.ssl_context
    return Server(
        configuration.host, tls, credentials, agent, configuration.proxy or None, configuration.tls_server_name or None
    )


class Client:
    """Kubernetes' verbs; each returns the server's :class:`~aistack.cluster.replies.Reply`, refusals included.

    Any of them raises ClusterError when no answer comes or the kind isn't known to the cluster.

    Args:
        configuration: where the API server is and how to log in.
        field_manager: the name under which fields are owned.
        in_flight: most requests at a time; watches don't count.
    """

    def __init__(self, configuration: Configuration, field_manager: str, in_flight: int = 32) -> None:
        self._transport = Transport(_server(configuration, field_manager), in_flight)
        self.field_manager = field_manager
        self.discovery = Discovery(self._discover)
        self._account: Account | None = None
        self.rewound = asyncio.Event()
        """Set once the cluster was seen to be put back to an older state: what was learned before is void."""

    @classmethod
    async def connect(cls, field_manager: str, kubeconfig: str = "", context: str = "") -> Self:
        """Make a client from a kubeconfig, or from the pod's service account.

        Raises:
            ClusterError: there are no usable credentials.
        """
        return cls(await load_configuration(kubeconfig, context), field_manager)

    def acting_as(self, account: Account) -> Client:
        """Return this client, but sending requests on objects as somebody else; connections are shared."""
        other = copy.copy(self)
        other._account = account
        return other

    @property
    def user(self) -> str:
        """As whom requests are sent; empty for whoever is logged in."""
        return self._account.user if self._account else ""

    @property
    def hooks(self) -> list[Hook]:
        """Functions told of every request, before it is sent and after its answer: for metrics and tests."""
        return self._transport.hooks

    def let(self, fence: Fence) -> None:
        """Have requests that could change something sent only where ``fence`` doesn't raise."""
        self._transport.fence = fence

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(self, ref: ObjectRef) -> Reply:
        """Read one object."""
        return await self._send("GET", "get", ref)

    async def list(self, kind: ObjectKind, namespace: str = "", *, metadata: bool = False, **query: str) -> Reply:
        """Read one page of a collection, of all namespaces when ``namespace`` is empty."""
        accept = METADATA_LIST if metadata else JSON
        return await self._ask(await self._collection("list", kind, namespace, accept, query))

    async def watch(
        self, kind: ObjectKind, namespace: str = "", *, metadata: bool = False, silence: float = 150.0, **query: str
    ) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        """Open a watch with bookmarks (:meth:`~aistack.cluster.transport.Transport.stream`).

        A ClusterError of ``status`` 410 asks for a new list.
        """
        query |= {"watch": "true", "allowWatchBookmarks": "true"}
        request = await self._collection("watch", kind, namespace, METADATA if metadata else JSON, query)
        return self._transport.stream(request, silence)

    async def create(self, manifest: Manifest) -> Reply:
        """Create an object; 409 when one of that name exists."""
        ref = ref_of(manifest)
        path = (await self.discovery.resource(ref.object_kind)).path(ref.namespace)
        request = Request("POST", path, "create", f"create {ref}", ref.kind, self._named(), manifest)
        return await self._ask(request)

    async def replace(self, manifest: Manifest) -> Reply:
        """Update an object whole; 409 unless ``metadata.resourceVersion`` is the present one."""
        return await self._send("PUT", "update", ref_of(manifest), self._named(), manifest)

    async def apply(self, manifest: Manifest, *, force: bool = False, dry_run: bool = False) -> Reply:
        """Server-side apply; ``metadata.uid`` or ``metadata.resourceVersion`` in the manifest are preconditions."""
        query = self._named() | {"force": "true" if force else "false"} | ({"dryRun": "All"} if dry_run else {})
        return await self._send("PATCH", "apply", ref_of(manifest), query, manifest, APPLY_PATCH)

    async def merge(self, ref: ObjectRef, patch: Manifest, subresource: str = "") -> Reply:
        """Merge-patch an object, or its ``status``."""
        return await self._send("PATCH", "patch", ref, self._named(), patch, MERGE_PATCH, subresource)

    async def delete(self, ref: ObjectRef, uid: str, propagation: str = "Background", version: str = "") -> Reply:
        """Delete the object of this UID, if given of this very version; 409 when it is another one by now."""
        known = {"uid": uid} | ({"resourceVersion": version} if version else {})
        options = {"preconditions": known, "propagationPolicy": propagation}
        return await self._send("DELETE", "delete", ref, None, options)

    async def log(self, pod: ObjectRef, **query: str) -> str:
        """Return what a pod's container printed.

        Args:
            pod: which pod.
            query: ``container``, ``previous``, ``tailLines``, ``limitBytes``.

        Raises:
            AIStackError: it can't be read.
        """
        path = (await self.discovery.resource(pod.object_kind)).path(pod.namespace, pod.name, "log")
        words = f"read the log of {pod}"
        request = Request("GET", path, "get", words, pod.kind, query, accept="*/*", user=self.user, text=True)
        return str((await self._transport.send(request)).result()["text"])

    async def usage(self, node: str) -> Mapping[str, Any]:
        """Return what a node's kubelet says of the use of its pods (its ``stats/summary``).

        Raises:
            ForbiddenError: the right ``get nodes/proxy`` is missing.
            ClusterError: it can't be asked.
        """
        path = f"/api/v1/nodes/{node}/proxy/stats/summary"
        return (
            await self._transport.send(Request("GET", path, "get", f"ask node {node} for its use", "Node"))
        ).result()

    async def version(self) -> Mapping[str, Any]:
        """Return what the API server says of its version: ``major``, ``minor``, ``gitVersion``.

        Raises:
            ClusterError: it can't be asked.
        """
        return (await self._transport.send(Request("GET", "/version", "get", "ask for the version", ""))).result()

    async def schemas(self, api_version: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the OpenAPI schemas of a group's kinds, by kind; every user may ask for them.

        Raises:
            ClusterError: they can't be asked for.
        """
        words = f"ask for the schemas of {api_version}"
        reply = await self._transport.send(Request("GET", f"/openapi/v3/apis/{api_version}", "get", words))
        found = {} if reply.status == 404 else reply.result().get("components", {}).get("schemas", {})
        named = ((gvk["kind"], schema) for schema in found.values() for gvk in schema.get(KIND_OF_SCHEMA, ()))
        return dict(named)

    async def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Ask whether the user has a right.

        Raises:
            AIStackError: it can't be asked.
        """
        attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
        body = {"apiVersion": REVIEW.api_version, "kind": REVIEW.kind, "spec": {"resourceAttributes": attributes}}
        path = (await self.discovery.resource(REVIEW)).path("")
        words = f"ask whether you may {verb} {resource}"
        reply = await self._transport.send(Request("POST", path, "create", words, REVIEW.kind, None, body))
        return bool(reply.result()["status"].get("allowed"))

    async def websocket(
        self, ref: ObjectRef, subresource: str, protocol: str, **query: str
    ) -> AbstractAsyncContextManager[ClientWebSocketResponse]:
        """Open a websocket on a subresource, e.g. ``portforward``."""
        path = (await self.discovery.resource(ref.object_kind)).path(ref.namespace, ref.name, subresource)
        request = Request("GET", path, "get", f"{subresource} {ref}", ref.kind, query, user=self.user)
        return self._transport.websocket(request, protocol)

    async def _send(
        self,
        method: str,
        verb: str,
        ref: ObjectRef,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = JSON,
        subresource: str = "",
    ) -> Reply:
        path = (await self.discovery.resource(ref.object_kind)).path(ref.namespace, ref.name, subresource)
        return await self._ask(Request(method, path, verb, f"{verb} {ref}", ref.kind, query, body, content_type))

    async def _ask(self, request: Request) -> Reply:
        """Send a request on objects, as the account if there is one."""
        if self._account is None:
            return await self._transport.send(request)
        reply = await self._transport.send(replace(request, user=self._account.user))
        return replace(reply, remedy=self._account.remedy(reply)) if reply.lacks_right else reply

    async def _collection(
        self, verb: str, kind: ObjectKind, namespace: str, accept: str, query: Mapping[str, str]
    ) -> Request:
        resource = await self.discovery.resource(kind)
        where = f" in namespace {namespace}" if namespace else ""
        path, tried = resource.path(namespace), f"{verb} {resource}{where}"
        return Request("GET", path, verb, tried, kind.kind, query, accept=accept, user=self.user)

    async def _discover(self, path: str) -> Mapping[str, Any]:
        request = Request("GET", path, "discover", "ask for the cluster's kinds", accept=DISCOVERY)
        return (await self._transport.send(request)).result()

    def _named(self) -> dict[str, str]:
        return {"fieldManager": self.field_manager}
