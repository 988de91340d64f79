"""Users' Secrets on a real API server: followed by name, read once for each change, copied and never told."""

from __future__ import annotations

import asyncio
import base64

import pytest

from aistack.cluster.engine import Engine
from aistack.errors import ClusterError
from aistack.objects.manifest import ObjectRef
from aistack.objects.plan import OwnerKey, Unit
from aistack.objects.recipes import Ref
from tests.integration.cluster.lab import SECRET, Lab, eventually, plan_of

pytestmark = pytest.mark.integration

SOUGHT = {"mine": {"host": False, "password": True}}


async def write(lab: Lab, **values: str) -> None:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": "mine", "namespace": lab.namespace}
    await lab.client.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}, force=True)


async def label(lab: Lab, **labels: str) -> None:
    ref = ObjectRef("v1", "Secret", lab.namespace, "mine")
    (await lab.client.merge(ref, {"metadata": {"labels": labels}})).result()


class Watched:
    """An engine, and what it told of the test's own owner: others share the API server."""

    def __init__(self, lab: Lab) -> None:
        self.told: list[OwnerKey] = []
        self._owner = lab.owner.key
        self.engine = Engine(lab.client, lab.settings, on_change=self._tell)

    def _tell(self, owner: OwnerKey) -> None:
        if owner == self._owner:
            self.told.append(owner)

    async def news(self) -> None:
        """Wait for the next word."""
        await eventually(self._some, lambda: "nothing was told")
        self.told.clear()

    async def _some(self) -> bool:
        return bool(self.told)


async def test_each_change_is_told_and_read_once(lab: Lab) -> None:
    watched = Watched(lab)
    async with watched.engine as engine:
        assert (await engine.observe(lab.owner, SOUGHT)).users == {}, "it isn't there yet"
        await write(lab, host="db", password="first one")
        await watched.news()
        first = (await engine.observe(lab.owner, SOUGHT)).users
        assert first and first["mine"].values == {"host": "db"}
        lab.calls.clear()
        assert (await engine.observe(lab.owner, SOUGHT)).users == first
        assert not lab.calls, "nothing changed, nobody was asked"
        await label(lab, colour="blue")
        await watched.news()
        assert (await engine.observe(lab.owner, SOUGHT)).users == first, "a label is no new value"
        await write(lab, host="db", password="another one")
        await watched.news()
        second = (await engine.observe(lab.owner, SOUGHT)).users
        assert second and second["mine"].marks != first["mine"].marks
        live = await lab.get(SECRET, "mine")
        assert live
        await lab.client.delete(ObjectRef("v1", "Secret", lab.namespace, "mine"), live["metadata"]["uid"])
        await watched.news()
        assert (await engine.observe(lab.owner, SOUGHT)).users == {}


async def test_a_secret_that_nobody_names_any_more_is_not_followed(lab: Lab) -> None:
    watched = Watched(lab)
    async with watched.engine as engine:
        await engine.observe(lab.owner, SOUGHT)
        await engine.observe(lab.owner, {})
        watched.told.clear()
        await write(lab, host="db", password="first one")
        await asyncio.sleep(0.5)
        assert not watched.told
        assert not any("Secret" in task.get_name() and "mine" in task.get_name() for task in asyncio.all_tasks())


async def test_a_value_is_copied_and_one_that_changed_meanwhile_isn_t(lab: Lab) -> None:
    await write(lab, host="db", password="first one")
    async with lab.engine() as engine:
        users = (await engine.observe(lab.owner, SOUGHT)).users
        assert users
        recipes = {"password": Ref("mine", "password", users["mine"].marks["password"])}
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.secret("s", recipes),))))
        live = await lab.get(SECRET, "s-1")
        assert live and base64.b64decode(live["data"]["password"]) == b"first one"
        await write(lab, host="db", password="another one")
        late = await engine.apply(plan_of(Unit("a", prepare=(lab.secret("s", recipes, generation=2),))), lab.owner)
        (error,) = late.units["a"].errors
        assert isinstance(error, ClusterError)
        assert "has changed" in str(error)
        assert await lab.get(SECRET, "s-2") is None
