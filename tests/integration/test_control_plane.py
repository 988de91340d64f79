"""The bare control plane: several at once, restarts that keep the data, users who may do only what RBAC grants."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.build import servers
from tests.cluster.common.waiting import wait_for
from tests.cluster.controlplane import ControlPlane

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane of these tests alone: they restart it."""
    with ControlPlane() as plane:
        yield plane


def kubectl(plane: ControlPlane, *arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(plane.kubectl), "--kubeconfig", str(kubeconfig or plane.kubeconfig), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_the_version_asked_for(plane: ControlPlane) -> None:
    told = json.loads(kubectl(plane, "version", "-o", "json").stdout)["serverVersion"]
    assert told["gitVersion"] == plane.version == servers.wanted()


@pytest.mark.parametrize("grace", [2, 0], ids=["asked to leave", "killed"])
def test_data_outlive_a_restart_of_the_api_server(plane: ControlPlane, grace: float) -> None:
    name = f"kept-{grace}"
    kubectl(plane, "create", "configmap", name, "--from-literal=answer=42").check_returncode()
    before = plane.pids["kube-apiserver"]
    plane.restart_apiserver(grace=grace)
    assert plane.pids["kube-apiserver"] != before
    assert kubectl(plane, "get", "configmap", name, "-o", "jsonpath={.data.answer}").stdout == "42"


def test_a_user_may_do_only_what_rbac_grants(plane: ControlPlane) -> None:
    config = plane.kubeconfig_for("alice", ["team-a"])
    assert "forbidden" in kubectl(plane, "get", "configmaps", kubeconfig=config).stderr
    kubectl(plane, "create", "rolebinding", "team-a", "--clusterrole=view", "--group=team-a").check_returncode()
    # The authorizer learns of a binding a moment after it is written.
    wait_for(lambda: kubectl(plane, "get", "configmaps", kubeconfig=config).returncode == 0, 10, "the right to read")
    assert "forbidden" in kubectl(plane, "create", "configmap", "x", kubeconfig=config).stderr


def test_pod_security_is_enforced(plane: ControlPlane) -> None:
    kubectl(plane, "create", "namespace", "strict").check_returncode()
    label = "pod-security.kubernetes.io/enforce=restricted"
    kubectl(plane, "label", "namespace", "strict", label).check_returncode()
    kubectl(plane, "--namespace=strict", "wait", "--for=create", "serviceaccount/default").check_returncode()
    refused = kubectl(plane, "--namespace=strict", "run", "x", "--image=x")
    assert 'violates PodSecurity "restricted' in refused.stderr


def test_two_stand_side_by_side_and_end_only_themselves(plane: ControlPlane) -> None:
    with ControlPlane() as other:
        assert other.url != plane.url
        assert not set(other.pids.values()) & set(plane.pids.values())
        directory = other.directory
    assert plane.healthy
    assert not other.healthy
    assert not directory.exists()
