"""An AIStack that was deleted while nothing watched: kopf never tells of it."""

from __future__ import annotations

import pytest

from aistack.cluster.client import load_configuration
from aistack.controller.operator import Operator
from aistack.objects.manifest import ref_of
from aistack.settings import engine_settings
from tests.integration.stacklab import StackLab
from tests.toy import toy

pytestmark = pytest.mark.integration


async def test_nothing_is_made_for_a_stack_that_is_gone(lab: StackLab) -> None:
    await lab.create("{profile: toy}")
    operator = Operator(await load_configuration(str(lab.cluster.kubeconfig)), toy(), engine_settings(lab.system))
    await operator.start()
    try:
        operator.seen(await lab.live(), deleted=False)

        async def made() -> bool:
            return await lab.get("Service", "demo-db") is not None

        await lab.eventually(made, lambda done: done)
        await _vanish(lab)
        service = await lab.must("Service", "demo-db")
        await lab.client.delete(ref_of(service), service["metadata"]["uid"])

        async def forgotten() -> bool:
            return len(operator.stacks) == 0

        await lab.eventually(forgotten, lambda done: done)
        assert await lab.get("Service", "demo-db") is None
    finally:
        await operator.stop()


async def _vanish(lab: StackLab) -> None:
    """Do as `aistack delete --orphan`."""
    live = await lab.live()
    (await lab.client.merge(ref_of(live), {"metadata": {"finalizers": None}})).result()
    (await lab.client.delete(ref_of(live), live["metadata"]["uid"])).result()
    assert await lab.gone()
