"""Clusters of IPv4, of IPv6 and of both: Services get the first family, and what is behind them listens there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aistack.catalog.loader import load_catalog
from tests.cluster.controlplane import IPV4, IPV6, ControlPlane
from tests.integration.stacklab import StackLab, stack_lab
from tests.toy import container_of

pytestmark = pytest.mark.integration

RANGES = {
    "IPv4": (IPV4, "IPv4", "0.0.0.0"),  # noqa: S104 - text
    "IPv6": (IPV6, "IPv6", "::"),
    "dual stack": (f"{IPV4},{IPV6}", "IPv4", "0.0.0.0"),  # noqa: S104 - text
    "dual stack, IPv6 first": (f"{IPV6},{IPV4}", "IPv6", "::"),
}


@pytest.fixture(params=RANGES.values(), ids=RANGES)
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[tuple[StackLab, str, str]]:
    """A stack in a cluster, the family of its Services, and where they lead."""
    ranges, family, address = request.param
    with ControlPlane(service_ranges=ranges) as plane:
        async with stack_lab(plane) as lab:
            yield lab, family, address


async def test_a_stack_follows_the_cluster(cluster: tuple[StackLab, str, str]) -> None:
    lab, family, address = cluster
    await lab.create("{components: [{name: seaweedfs}], proofs: {every: 'off'}}")
    async with lab.operator(load_catalog()) as operator:
        await lab.converge(operator)
        service = await lab.must("Service", "demo-seaweedfs")
        assert service["spec"]["ipFamilies"] == [family]
        deployment = await lab.must("Deployment", "demo-seaweedfs")
        assert f"-s3.ip.bind={address}" in container_of(deployment, "seaweedfs")["args"]
        await lab.converge(operator)
        lab.calls.clear()
        await lab.converge(operator)
        assert lab.writes() == {}, "and is left alone then"
