"""One real control plane for all integration tests; each test works in a namespace of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.controlplane import ControlPlane


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """etcd, kube-apiserver and kube-controller-manager on loopback."""
    with ControlPlane() as cluster:
        yield cluster
