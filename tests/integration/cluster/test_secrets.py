"""Generated Secrets on a real API server."""

from __future__ import annotations

import base64

import pytest

from aistack.errors import ClusterError
from aistack.objects.outcome import Verb
from aistack.objects.plan import SecretRecord, Unit
from aistack.objects.recipes import Format, Generate, Literal, Recipe, recipe_hash
from tests.integration.cluster.lab import SECRET, Lab, only, plan_of

pytestmark = pytest.mark.integration

RECIPES: dict[str, Recipe] = {
    "user": Literal("me@home"),
    "password": Generate(20, prefix="p-"),
    "uri": Format("x://{user:url}:{password}@h"),
}


async def values(lab: Lab, name: str) -> dict[str, str]:
    live = await lab.get(SECRET, name)
    assert live
    return {key: base64.b64decode(value).decode() for key, value in live["data"].items()}


async def test_a_secret_is_made_once_and_never_changed(lab: Lab) -> None:
    plan = plan_of(Unit("a", prepare=(lab.secret("s", RECIPES),)))
    async with lab.engine() as engine:
        await lab.settle(engine, plan)
        first = await values(lab, "s-1")
        await lab.settle(engine, plan)
        observed = await engine.observe(lab.owner)

    assert first["password"].startswith("p-")
    assert len(first["password"]) == 22
    assert first["uri"] == f"x://me%40home:{first['password']}@h"
    assert await values(lab, "s-1") == first
    live = await lab.get(SECRET, "s-1")
    assert live and live["immutable"]
    assert observed.secrets == {"s": SecretRecord(1, recipe_hash(RECIPES), present=True)}
    assert first["password"] not in str(observed)


async def test_a_lost_secret_is_reported_and_replaced_by_a_new_generation(lab: Lab) -> None:
    first = lab.secret("s", RECIPES)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(first,))))
        live = await lab.get(SECRET, "s-1")
        assert live
        (await lab.client.delete(first.ref, live["metadata"]["uid"])).result()
    async with lab.engine() as engine:
        lost = (await engine.observe(lab.owner)).secrets["s"]
        refused = await engine.apply(plan_of(Unit("a", prepare=(first,))), lab.owner)
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.secret("s", RECIPES, generation=2),))))
        found = (await engine.observe(lab.owner)).secrets["s"]

    assert lost == SecretRecord(1, recipe_hash(RECIPES), present=False)
    assert [type(error) for error in only(refused).errors] == [ClusterError]
    assert found == SecretRecord(2, recipe_hash(RECIPES), present=True)


async def test_the_old_generation_goes_once_the_plan_is_settled(lab: Lab) -> None:
    changed = RECIPES | {"more": Generate(4, "hex")}
    second = lab.secret("s", changed, generation=2)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(lab.secret("s", RECIPES),), run=(lab.workload("w"),))))
        rolled = plan_of(Unit("a", prepare=(second,), run=(lab.workload("w", image="two"),)))
        outcome = await engine.apply(rolled, lab.owner)
        assert not outcome.settled
        assert await lab.names(SECRET) == {"s-1", "s-2"}
        await lab.settle(engine, rolled)

    assert await lab.names(SECRET) == {"s-2"}


async def test_a_secret_that_exists_already_keeps_its_value(lab: Lab) -> None:
    """The operator died after the POST, before it could note that it succeeded."""
    step = lab.secret("s", RECIPES)
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        before = await values(lab, "s-1")
    async with lab.engine(namespace="kube-public") as engine:  # another place for inventories: nothing is remembered
        outcome = await engine.apply(plan_of(Unit("a", prepare=(step,))), lab.owner)

    assert only(outcome).objects[0].verb is Verb.UNCHANGED
    assert await values(lab, "s-1") == before
