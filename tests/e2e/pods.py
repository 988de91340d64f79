"""Pods of apps, as their users would write them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from aistack.catalog.loader import load_catalog
from tests.journey.starter import Starter


@contextmanager
def app_pod(stack: Starter, name: str, binding: str, program: str) -> Iterator[str]:
    """Run a pod with an AIBinding's Secret mounted, and the labels that its status names; yields its name.

    Args:
        stack: whose namespace.
        name: the pod's.
        binding: name of the AIBinding.
        program: in Python; finds the binding under ``/binding``.
    """
    status = stack.kube.json("-n", stack.namespace, "get", "aibinding", binding)["status"]
    labels = {"aistack.dev/stack": stack.name, "aistack.dev/identity": status["identity"]}
    security = {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    container = {
        "name": "app",
        "image": load_catalog().runner.reference(),
        "command": ["python3", "-c", program],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "binding", "mountPath": "/binding"}],
    }
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "securityContext": security,
        "containers": [container],
        "volumes": [{"name": "binding", "secret": {"secretName": status["binding"]["name"]}}],
    }
    metadata = {"name": name, "namespace": stack.namespace, "labels": labels}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    stack.kube.run("create", "-f", "-", stdin=json.dumps(pod))
    try:
        yield name
    finally:
        stack.kube.run("-n", stack.namespace, "delete", "pod", name, "--wait=false")
