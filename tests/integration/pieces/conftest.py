"""One control plane for all of them, as the operator serves all namespaces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.common.daemons import Daemon
from tests.cluster.controlplane import ControlPlane
from tests.integration.pieces.world import NAMESPACE, ROOT, SYSTEM, USER, World, grant
from tests.integration.test_operator import log_of
from tests.journey.kube import Kube
from tests.registry import fake_registry_beside


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A control plane of its own, as the operator serves all namespaces."""
    folder = tmp_path_factory.mktemp("pieces")
    with ControlPlane(folder / "plane") as plane, fake_registry_beside() as registry:
        kube = Kube(plane.kubectl, plane.kubeconfig)
        kube.define(ROOT / "crds")
        for namespace in (SYSTEM, NAMESPACE):
            kube.run("create", "namespace", namespace)
        grant(kube)
        world = World(kube, registry, Daemon("operator", folder), plane.kubeconfig_for(USER), folder)
        world.start()
        try:
            yield world
        finally:
            world.operator.stop()
            print(log_of(world.operator)[-5000:])
