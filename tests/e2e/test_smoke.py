"""The cluster itself: pods get an address, a Service balances over them, and DNS knows its name."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import yaml

from tests.cluster import archives
from tests.cluster.build import binaries
from tests.cluster.kind import Kind
from tests.journey.kube import Kube, eventually

pytestmark = pytest.mark.e2e

NAMESPACE = "smoke"
IMAGE = "registry.aistack.dev/smoke:1"
SERVERS = 2
QUESTIONS = 40
SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture(scope="module")
def cluster(kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    """The cluster with the smoke image loaded and an empty namespace."""
    del kube  # it is up
    kind = Kind()
    archive = tmp_path_factory.mktemp("image") / "smoke.tar"
    program = binaries.directory() / "smoke"
    archives.write(archive, IMAGE, {"smoke": program}, {"Entrypoint": ["/smoke"]})
    kind.load_images([archive])
    assert kind.load_images([archive]) == [], "an image that is there is not loaded again"
    _delete_namespace(kind)
    kubectl(kind, "create", "namespace", NAMESPACE)
    kubectl(kind, "label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    yield kind
    _delete_namespace(kind)


def test_two_pods_behind_a_service_answer_over_dns(cluster: Kind) -> None:
    apply(cluster, deployment(), service())
    kubectl(cluster, "rollout", "status", "deployment/echo", "--timeout=60s")
    pods = kubectl(cluster, "get", "pods", "-l", "app=echo", "-o", "jsonpath={.items[*].metadata.name}").split()
    # One endpoint works even where iptables can't balance: both must have answered.
    numbers = count()
    answers = eventually(lambda: _both(cluster, f"asker-{next(numbers)}", pods), seconds=60)
    assert answers.total() == QUESTIONS


def test_a_service_has_a_fully_qualified_name(cluster: Kind) -> None:
    apply(cluster, deployment(), service())
    kubectl(cluster, "rollout", "status", "deployment/echo", "--timeout=60s")
    answers = ask(cluster, "qualified", f"http://echo.{NAMESPACE}.svc.cluster.local.:8080").split()
    assert len(answers) == QUESTIONS


def _both(cluster: Kind, name: str, pods: list[str]) -> Counter[str] | None:
    """The answers from all pods; None where only some answered, as a node learns of endpoints a moment later."""
    answers = Counter(ask(cluster, name, "http://echo:8080").split())
    return answers if set(answers) == set(pods) else None


def ask(cluster: Kind, name: str, url: str) -> str:
    """The answers that a pod in the cluster gets from a URL."""
    container = {"name": "ask", "image": IMAGE, "args": ["ask", url, str(QUESTIONS)], "securityContext": SECURITY}
    metadata = {"name": name, "namespace": NAMESPACE}
    spec = {"containers": [container], "restartPolicy": "OnFailure"}
    apply(cluster, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    kubectl(cluster, "wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=60s")
    return kubectl(cluster, "logs", name)


def deployment() -> dict[str, object]:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {
        "name": "serve",
        "image": IMAGE,
        "args": ["serve"],
        "readinessProbe": probe,
        "securityContext": SECURITY,
    }
    template = {"metadata": {"labels": {"app": "echo"}}, "spec": {"containers": [container]}}
    spec = {"replicas": SERVERS, "selector": {"matchLabels": {"app": "echo"}}, "template": template}
    metadata = {"name": "echo", "namespace": NAMESPACE}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def service() -> dict[str, object]:
    metadata = {"name": "echo", "namespace": NAMESPACE}
    spec = {"selector": {"app": "echo"}, "ports": [{"port": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def apply(cluster: Kind, *objects: dict[str, object]) -> None:
    kubectl(cluster, "apply", "--server-side", "-f", "-", send=yaml.safe_dump_all(objects))


def kubectl(cluster: Kind, *arguments: str, send: str = "") -> str:
    """Run kubectl the way a user does, from the machine itself."""
    command: list[str | Path] = [cluster.kubectl, "--kubeconfig", cluster.kubeconfig, "--namespace", NAMESPACE]
    done = subprocess.run([*command, *arguments], input=send, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _delete_namespace(cluster: Kind) -> None:
    kubectl(cluster, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=60s")
