"""A namespace of its own, and an owner in it, for each test of the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aistack.cluster.client import Client
from tests.cluster.controlplane import ControlPlane
from tests.integration.cluster.lab import MANAGER, Lab


@pytest.fixture
async def lab(control_plane: ControlPlane) -> AsyncIterator[Lab]:
    async with await Client.connect(MANAGER, str(control_plane.kubeconfig)) as client:
        lab = Lab(control_plane, client)
        await lab.make_namespace()
        yield lab
