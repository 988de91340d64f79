"""`aistack plan`: what the API server itself says would change, and nothing written."""

from __future__ import annotations

import pytest

from aistack.cluster.engine import Engine
from aistack.cluster.preview import Preview
from aistack.errors import ClusterError, ForeignObjectError
from aistack.objects.diff import Change, FieldChange
from aistack.objects.plan import DriftPolicy, Plan, Strategy, Unit
from tests.integration.cluster.lab import CONFIG, DEPLOYMENT, SECRET, Lab, plan_of

pytestmark = pytest.mark.integration


async def preview(lab: Lab, plan: Plan) -> Preview:
    before = await lab.versions(CONFIG, SECRET, DEPLOYMENT)
    result = await Engine(lab.client, lab.settings, watching=False).dry_run(plan, lab.owner)
    assert await lab.versions(CONFIG, SECRET, DEPLOYMENT) == before
    return result


async def test_a_new_stack_is_created(lab: Lab) -> None:
    unit = Unit("a", prepare=lab.everything(k="v").prepare, actions=(lab.action("k", "j"),))
    result = await preview(lab, plan_of(unit))
    assert [(c.ref.name, c.change) for c in result.changes] == [
        ("c", Change.CREATE),
        ("s-1", Change.CREATE),
        ("j", Change.RUN),
    ]
    assert result.changes[1].fields == (FieldChange(".data.p", None, "generated, 8 characters"),)
    assert not result.empty


async def test_an_unchanged_stack_has_no_changes(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(lab.everything(k="v")))

    assert (await preview(lab, plan_of(lab.everything(k="v")))).empty


async def test_an_edit_that_is_only_warned_of_is_no_change(lab: Lab) -> None:
    step = lab.config("c", k="ours")
    async with lab.engine() as engine, await lab.stranger() as stranger:
        await lab.settle(engine, plan_of(Unit("a", prepare=(step,))))
        (await stranger.merge(step.ref, {"data": {"k": "theirs"}})).result()
    result = await preview(lab, plan_of(Unit("a", prepare=(step,)), drift=DriftPolicy.WARN))

    assert result.empty
    assert "edited by somebody else" in result.changes[0].note
    assert not (await preview(lab, plan_of(Unit("a", prepare=(step,))))).empty


async def test_changes_are_shown_field_by_field(lab: Lab) -> None:
    async with lab.engine() as engine:
        await lab.settle(engine, plan_of(lab.everything(k="v", gone="x")))
    recreated = lab.workload("w", app="new", strategy=Strategy.RECREATE)
    result = await preview(lab, plan_of(Unit("a", prepare=(lab.config("c", k="w"),), run=(recreated,))))
    shown = {change.ref.name: change for change in result.changes}

    assert shown["c"].fields == (FieldChange(".data.gone", "x", None), FieldChange(".data.k", "v", "w"))
    assert shown["w"].change is Change.RECREATE
    assert FieldChange(".spec.selector.matchLabels.app", "w", "new") in shown["w"].fields
    assert shown["s-1"].change is Change.RETAIN


async def test_it_says_what_applying_would_meet(lab: Lab) -> None:
    async with await lab.stranger() as stranger:
        (await stranger.create(lab.config("c").manifest)).result()
    result = await preview(lab, plan_of(lab.everything(k="v")))
    lab.namespace = "no-such-namespace"
    nowhere = await preview(lab, plan_of(lab.everything(k="v")))

    assert [type(error) for error in result.errors] == [ForeignObjectError]
    assert ClusterError in {type(error) for error in nowhere.errors}
    assert "kubectl create namespace no-such-namespace" in str(nowhere.errors[0])
