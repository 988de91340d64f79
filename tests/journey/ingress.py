"""A company's Ingress controller in the cluster: Traefik, of its program from PyPI in an image made for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import archives
from tests.cluster.kind import Kind
from tests.contracts import servers
from tests.integration.routing import TRAEFIK, ingress_class
from tests.journey.kube import Kube

NAME = "company-ingress"
"""Of all its objects, its namespace included."""
PORT, PING = 8443, 8081
IMAGE = f"registry.aistack.dev/traefik:{TRAEFIK.rpartition('=')[2]}"
_ARGUMENTS = (
    f"--entrypoints.websecure.address=:{PORT}",
    "--entrypoints.websecure.http.tls=true",
    f"--entrypoints.ping.address=:{PING}",
    "--ping=true",
    "--ping.entrypoint=ping",
    "--providers.kubernetesingress=true",
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
)
_RULES = [
    {"apiGroups": [""], "resources": ["services", "secrets", "nodes"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    {
        "apiGroups": ["networking.k8s.io"],
        "resources": ["ingresses", "ingressclasses"],
        "verbs": ["get", "list", "watch"],
    },
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
]


@contextmanager
def controller(kube: Kube, folder: Path) -> Iterator[tuple[str, int]]:
    """Run it until the block ends.

    Args:
        kube: the cluster.
        folder: scratch space.

    Yields:
        The host and port where this machine's programs reach its https.
    """
    kind = Kind()
    archive = folder / "traefik.tar"
    archives.write(archive, IMAGE, {"traefik": servers.programs("traefik", TRAEFIK) / "traefik", "tmp": None}, {})
    kind.load_images([archive])
    made = _objects()
    try:
        kube.apply(*made)
        kube.run("-n", NAME, "rollout", "status", f"deployment/{NAME}", "--timeout=60s", timeout=80)
        with kind.reach(kind.nodes[0], PORT) as address:
            yield address
    finally:
        for manifest in reversed(made):
            kube.run("delete", manifest["kind"], manifest["metadata"]["name"], *_place(manifest), *_GONE, timeout=150)


_GONE = ("--ignore-not-found", "--timeout=120s")


def _place(manifest: dict[str, Any]) -> tuple[str, ...]:
    namespace = manifest["metadata"].get("namespace")
    return ("-n", namespace) if namespace else ()


def _objects() -> list[dict[str, Any]]:
    inside, subject = {"name": NAME, "namespace": NAME}, {"kind": "ServiceAccount", "name": NAME, "namespace": NAME}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}},
        dict(ingress_class()),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": inside},
        {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": _RULES},
        {
            "apiVersion": rbac,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": role,
            "subjects": [subject],
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": inside, "spec": _deployment()},
    ]


def _deployment() -> dict[str, Any]:
    container = {
        "name": "traefik",
        "image": IMAGE,
        "command": ["/traefik"],
        "args": list(_ARGUMENTS),
        "readinessProbe": {"httpGet": {"path": "/ping", "port": PING}, "periodSeconds": 1},
    }
    # On the node's own network, as controllers of clusters without a load balancer are.
    pod = {
        "serviceAccountName": NAME,
        "hostNetwork": True,
        "nodeSelector": {"kubernetes.io/hostname": Kind().nodes[0]},
        "containers": [container],
    }
    labels = {"app": NAME}
    return {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
