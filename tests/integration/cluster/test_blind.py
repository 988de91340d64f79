"""An engine that can't see: what it doesn't see isn't lost, and nothing is planned or given up for it.

The API server is real; single answers are replaced by those of a server in trouble, or of a proxy before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from aistack.cluster.client import Client
from aistack.cluster.replies import Reply
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectKind
from aistack.objects.plan import Unit
from aistack.objects.recipes import Generate
from tests.integration.cluster.lab import CONFIG, DEPLOYMENT, SECRET, VOLUME, Lab, eventually, plan_of

pytestmark = pytest.mark.integration


@contextmanager
def failing(client: Client, status: int, kind: ObjectKind) -> Iterator[None]:
    """Let lists and watches of a kind fail."""
    real_list, real_watch = client.list, client.watch

    async def failing_list(asked: ObjectKind, namespace: str = "", **query: Any) -> Reply:
        return Reply(status, {}, f"list {asked}") if asked == kind else await real_list(asked, namespace, **query)

    async def failing_watch(asked: ObjectKind, namespace: str = "", **query: Any) -> Any:
        if asked == kind:
            raise Reply(status, {}, f"watch {asked}").error()
        return await real_watch(asked, namespace, **query)

    with patch.multiple(client, list=failing_list, watch=failing_watch):
        yield


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(SECRET, id="or each credential would be rotated"),
        pytest.param(VOLUME, id="or claims would run again, and a volume could shrink"),
    ],
)
async def test_nothing_is_planned_before_the_world_was_seen(lab: Lab, kind: ObjectKind) -> None:
    unit = Unit("a", prepare=(lab.secret("s", {"p": Generate(8)}), lab.volume("v")))
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(unit))
    with failing(lab.client, 500, kind):
        async with lab.engine() as engine:
            with pytest.raises(ClusterError, match=r"^list .*HTTP 500"):
                await engine.observe(lab.owner)
    async with lab.engine() as engine:
        observed = await engine.observe(lab.owner)
        assert observed.secrets["s"].present
        assert unit.prepare[1].ref in observed.objects


async def test_no_deletion_is_done_before_the_world_was_seen(lab: Lab) -> None:
    """With a lost inventory, only a list tells what there is to delete."""
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(lab.everything()))
    with failing(lab.client, 500, DEPLOYMENT):
        async with lab.engine(namespace="kube-public") as engine:
            with pytest.raises(ClusterError, match=r"^list .*HTTP 500"):
                await engine.delete(lab.owner, retain=False)
    assert await lab.names(DEPLOYMENT) == {"w"}


async def test_a_404_of_a_proxy_does_not_mean_that_a_kind_is_gone(lab: Lab) -> None:
    async with lab.engine(watch_silence=0.3) as engine:
        await lab.settle(engine, plan_of(lab.everything()))
        with failing(lab.client, 404, SECRET):

            async def noticed() -> bool:
                return any("Secret" in source and "HTTP 404" in why for source, why in engine.degraded().items())

            await eventually(noticed)
            assert (await engine.observe(lab.owner)).secrets["s"].present
        await lab.remove(engine, retain=False)
    assert await lab.names(SECRET) == set()
    assert "c" not in await lab.names(CONFIG)
