"""Where people find a stack's pages: the ``spec.expose`` of an AIStack. Docstrings of fields are for ``explain``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from aistack.api.model import Model
from aistack.api.names import MAX_CATALOG_NAME
from aistack.api.rules import Rule, matches
from aistack.api.texts import Annotations, ObjectName
from aistack.api.wiring import LocalObjectReference

MAX_HOST = 253 - MAX_CATALOG_NAME - 1
"""Longest host, so that with a component's name before it it is still a DNS name."""
_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LAST_LABEL = "[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
"""A browser takes what ends in a number for an address."""

Host = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_HOST),
    matches(
        f"({_LABEL}[.])*{_LAST_LABEL}",
        "is no host",
        "write a DNS name in lower case, without scheme, port, path and '*', e.g. ml.example.com for pages at "
        "mlflow.ml.example.com",
    ),
]
NamespaceName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=63),
    matches(
        "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        "is no name of a namespace",
        "write lower-case letters, digits and '-', e.g. gateways",
    ),
]
_ONE_CERTIFICATE = Rule(
    "[has(self.secretRef), has(self.issuer), has(self.clusterIssuer)].filter(given, given).size() <= 1",
    "names more than one of secretRef, issuer and clusterIssuer",
    "keep the one that the certificate comes from",
    lambda tls: [tls.secret_ref, tls.issuer, tls.cluster_issuer].count(None) >= 2,
)
_ONE_WAY = Rule(
    "has(self.className) != has(self.gatewayRef)",
    "needs either className or gatewayRef",
    "write className for an Ingress ('kubectl get ingressclass' lists them), or gatewayRef for a Gateway "
    "('kubectl get gateway -A')",
    lambda expose: (expose.class_name is None) != (expose.gateway_ref is None),
)
_GATEWAYS_CERTIFICATE = Rule(
    "!has(self.gatewayRef) || !has(self.tls) || "
    "!(has(self.tls.secretRef) || has(self.tls.issuer) || has(self.tls.clusterIssuer))",
    "names a certificate in tls, but with gatewayRef the Gateway's listener has its own",
    "give the certificate to the Gateway's listener, and write 'tls: {}' here to say that pages are https",
    lambda expose: not (expose.gateway_ref and expose.tls and expose.tls.named),
)
EXPOSE_RULES = (_ONE_WAY, _GATEWAYS_CERTIFICATE)


class GatewayRef(Model):
    """A Gateway of the Gateway API."""

    name: ObjectName
    """Name of the Gateway."""

    namespace: NamespaceName | None = None
    """Namespace of the Gateway; the stack's if not set. A listener of another namespace must allow routes from this
    one (allowedRoutes)."""

    section_name: ObjectName | None = None
    """Name of one of the Gateway's listeners, e.g. https; all that fit the host if not set."""


class Tls(Model):
    """Where the pages' certificate comes from."""

    secret_ref: LocalObjectReference | None = None
    """Secret of type kubernetes.io/tls in this namespace, for all pages: its certificate must be for *.HOST."""

    issuer: ObjectName | None = None
    """Issuer of cert-manager in this namespace: each page gets a certificate of its own, in the Secret
    STACK-COMPONENT-tls."""

    cluster_issuer: ObjectName | None = None
    """ClusterIssuer of cert-manager, likewise."""

    @property
    def named(self) -> bool:
        """Whether it says whose certificate it is."""
        return bool(self.secret_ref or self.issuer or self.cluster_issuer)


class Expose(Model):
    """Puts the stack's pages behind an Ingress controller or a Gateway."""

    host: Host
    """DNS name under which each page gets a name of its own, COMPONENT.HOST: with ml.example.com MLflow is at
    mlflow.ml.example.com. Point *.HOST at the Ingress controller or the Gateway."""

    class_name: ObjectName | None = None
    """IngressClass: each page gets an Ingress of it. Either this or gatewayRef."""

    gateway_ref: GatewayRef | None = None
    """Gateway: each page gets an HTTPRoute (gateway.networking.k8s.io/v1) to it. Either this or className."""

    tls: Annotated[Tls, _ONE_CERTIFICATE] | None = None
    """Makes pages https. Empty ({}) where the certificate is nothing of the stack's: the Gateway's listener's, the
    Ingress controller's own, or that of what stands before it. Pages are http if not set."""

    annotations: Annotations = Field(default_factory=dict)
    """Annotations of every Ingress or HTTPRoute, e.g. how large an upload may be; those of each controller differ."""

    @property
    def scheme(self) -> str:
        """How a browser reaches the pages."""
        return "http" if self.tls is None else "https"
