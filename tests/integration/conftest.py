"""One real control plane for all integration tests; each test works in a namespace of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cluster.controlplane import ControlPlane
from tests.integration.stacklab import StackLab, stack_lab


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """etcd, kube-apiserver and kube-controller-manager on loopback."""
    with ControlPlane() as cluster:
        yield cluster


@pytest.fixture
async def lab(control_plane: ControlPlane) -> AsyncIterator[StackLab]:
    """A namespace for one AIStack, with means to run the operator's passes over it."""
    async with stack_lab(control_plane) as lab:
        yield lab
