"""Recent plans are kept, and never taken for those of another stack or another world."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aistack.api.spec import AIStack
from aistack.api.status import AIStackStatus
from aistack.errors import AwaitedError
from aistack.objects.plan import Observed, SecretRecord
from aistack.plans import Plans
from tests import toy

NOTHING = Observed()


@pytest.fixture
def plans() -> Plans:
    """Plans of the toy catalog."""
    return Plans()


async def test_the_same_stack_in_the_same_world_is_planned_once(plans: Plans) -> None:
    first = await plans.plan(toy.stack(), toy.toy(), NOTHING, ())
    second = await plans.plan(toy.stack(), toy.toy(), Observed(), ())

    assert second.plan is first.plan


async def test_what_a_stack_says_of_itself_changes_no_plan_and_is_not_kept(plans: Plans) -> None:
    first = await plans.plan(toy.stack(), toy.toy(), NOTHING, ())
    told = toy.stack().model_copy(update={"status": AIStackStatus(message="news")})
    second = await plans.plan(told, toy.toy(), NOTHING, ())

    assert second.plan is first.plan
    assert second.stack is told


@pytest.mark.parametrize(
    ("stack", "observed"),
    [
        pytest.param(toy.stack("{profile: toy, labels: {a: b}}"), NOTHING, id="another spec"),
        pytest.param(toy.stack(namespace="other"), NOTHING, id="another namespace"),
        pytest.param(toy.stack(), Observed(secrets={"x": SecretRecord(1, "h", present=True)}), id="another Secret"),
        pytest.param(toy.stack(), replace(NOTHING, users={}), id="a cluster that was asked"),
    ],
)
async def test_anything_else_is_planned_anew(plans: Plans, stack: AIStack, observed: Observed) -> None:
    first = await plans.plan(toy.stack(), toy.toy(), NOTHING, ())

    assert (await plans.plan(stack, toy.toy(), observed, ())).plan is not first.plan


async def test_the_plan_that_was_not_asked_for_longest_goes_first() -> None:
    size = sum(1 for unit in toy.plan().plan.units for _ in (*unit.objects(), *unit.jobs()))
    plans = Plans(objects=2 * size)
    names = ("one", "two")
    former = {name: await plans.plan(toy.stack(name=name), toy.toy(), NOTHING, ()) for name in names}
    await plans.plan(toy.stack(name="one"), toy.toy(), NOTHING, ())
    await plans.plan(toy.stack(name="more"), toy.toy(), NOTHING, ())

    again = {name: await plans.plan(toy.stack(name=name), toy.toy(), NOTHING, ()) for name in names}

    assert again["one"].plan is former["one"].plan
    assert again["two"].plan is not former["two"].plan


async def test_a_catalog_that_grows_changes_no_plan(plans: Plans) -> None:
    grown = replace(toy.toy(), parts={**toy.toy().parts, "components/more": "x"})
    first = await plans.plan(toy.stack(), toy.toy(), NOTHING, ())

    assert (await plans.plan(toy.stack(), grown, NOTHING, ())).plan is first.plan


async def test_a_part_that_changes_has_its_stacks_planned_anew(plans: Plans) -> None:
    changed = replace(toy.toy(), parts={**toy.toy().parts, "contracts/sql": "x"})
    first = await plans.plan(toy.stack(), toy.toy(), NOTHING, ())
    second = await plans.plan(toy.stack(), changed, NOTHING, ())

    assert second.plan is not first.plan
    assert second.catalog_digest != first.catalog_digest


async def test_a_part_that_is_awaited_is_not_used_from_an_older_plan(plans: Plans) -> None:
    await plans.plan(toy.stack(), toy.toy(), NOTHING, ())
    with pytest.raises(AwaitedError):
        await plans.plan(toy.stack(), replace(toy.toy(), awaited={"components/db": "away"}), NOTHING, ())
