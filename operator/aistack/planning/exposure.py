"""Exposure: where people find a stack's pages, and the Ingress or HTTPRoute that leads to each.

Each page has a name of its own, ``<component>.<host>``, and no path under a common one: MLflow and JupyterHub expect to
be at the root, and pages that share an origin could use each other's logins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aistack.api.exposure import Expose, GatewayRef
from aistack.api.names import object_name
from aistack.api.spec import AIStack
from aistack.catalog.models import Page
from aistack.objects.manifest import Manifest
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import service_name

ROUTE_KINDS = frozenset({"Ingress", "HTTPRoute"})
"""Kinds that lead people to pages."""


@dataclass(frozen=True)
class Address:
    """Where a page is for people."""

    scheme: str
    host: str
    path: str = "/"

    @property
    def origin(self) -> str:
        """What a browser calls the page's origin."""
        return f"{self.scheme}://{self.host}"

    @property
    def url(self) -> str:
        """What people type."""
        return self.origin + self.path


def address_of(stack: AIStack, r: Resolved) -> Address | None:
    """Return where a component's page is for people, None if it has none or it isn't exposed."""
    expose, page = stack.spec.expose, _page(r)
    if expose is None or page is None:
        return None
    return Address(expose.scheme, f"{r.name}.{expose.host}", page.path)


def routes(stack: AIStack, r: Resolved) -> list[Manifest]:
    """Return what leads people to a component's page: one Ingress, one HTTPRoute, or nothing."""
    expose, page, address = stack.spec.expose, _page(r), address_of(stack, r)
    if expose is None or page is None or address is None:
        return []
    name = object_name(stack.name, r.name)
    target = _Target(
        name=service_name(stack.name, r.name, page.workload),
        port=r.component.spec.workloads[page.workload].ports[page.port].port,
    )
    if expose.gateway_ref is None:
        return [_ingress(name, expose, address.host, target)]
    return [_http_route(name, expose, expose.gateway_ref, address.host, target)]


@dataclass(frozen=True)
class _Target:
    """A page's Service and its port."""

    name: str
    port: int


def _page(r: Resolved) -> Page | None:
    return next(iter(r.component.spec.pages), None)


def _ingress(name: str, expose: Expose, host: str, target: _Target) -> Manifest:
    backend = {"service": {"name": target.name, "port": {"number": target.port}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _metadata(name, {**expose.annotations, **_issuer(expose)}),
        "spec": {"ingressClassName": expose.class_name, "rules": [rule], **_tls(name, expose, host)},
    }


def _issuer(expose: Expose) -> dict[str, str]:
    """Return what tells cert-manager who signs."""
    if expose.tls is None:
        return {}
    issuers = {"issuer": expose.tls.issuer, "cluster-issuer": expose.tls.cluster_issuer}
    return {f"cert-manager.io/{kind}": issuer for kind, issuer in issuers.items() if issuer}


def _tls(name: str, expose: Expose, host: str) -> dict[str, Any]:
    """Return the part of an Ingress that asks for https; without a Secret's name the controller's own certificate."""
    if expose.tls is None:
        return {}
    if expose.tls.secret_ref:
        return {"tls": [{"hosts": [host], "secretName": expose.tls.secret_ref.name}]}
    return {"tls": [{"hosts": [host], **({"secretName": f"{name}-tls"} if expose.tls.named else {})}]}


def _http_route(name: str, expose: Expose, gateway: GatewayRef, host: str, target: _Target) -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": _metadata(name, expose.annotations),
        "spec": {
            "parentRefs": [gateway.model_dump(by_alias=True, exclude_none=True)],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": target.name, "port": target.port}]}],
        },
    }


def _metadata(name: str, annotations: dict[str, str]) -> dict[str, Any]:
    return {"name": name, **({"annotations": annotations} if annotations else {})}
