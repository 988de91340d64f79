"""A component that is a Helm chart, on the real API server: order, status, drift, releases, deletion, bad input."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from aistack.api.parse import parse_stack
from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog, Component
from aistack.errors import NotReadyError
from aistack.objects.manifest import Manifest, ObjectKind
from aistack.objects.plan import Observed
from aistack.pipeline import Pipeline
from aistack.plans import Plans
from aistack.rendering import shared_charts
from aistack.sources import helm as helm_module
from aistack.sources.charts import Charts
from aistack.sources.helm import Helm
from aistack.sources.process import Limits
from tests.chart.helm import helm
from tests.charts import SPEC, changed, with_shop
from tests.cluster.controlplane import ControlPlane
from tests.integration.stacklab import StackLab, condition, said, stack_lab

pytestmark = pytest.mark.integration

JOB = ObjectKind("batch/v1", "Job")
STATEFUL_SET = ObjectKind("apps/v1", "StatefulSet")
READY = ("True", "False", "Healthy")


@pytest.fixture(autouse=True)
def _helm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process of its own: nothing was rendered before."""
    monkeypatch.setenv("AISTACK_HELM", str(helm()))
    shared_charts.cache_clear()
    yield
    shared_charts.cache_clear()


@pytest.fixture
async def shop(lab: StackLab) -> AsyncIterator[tuple[StackLab, Pipeline]]:
    """A stack with the shop, ready."""
    await lab.create(SPEC % "")
    async with lab.operator(with_shop()) as operator:
        await lab.converge(operator)
        yield lab, operator


async def jobs(lab: StackLab) -> dict[str, Manifest]:
    found = (await lab.client.list(JOB, lab.namespace)).result()["items"]
    return {job["metadata"]["name"]: job for job in found}


async def secret(lab: StackLab) -> str:
    return base64.b64decode((await lab.must("Secret", "demo-shop-tls-1"))["data"]["key"]).decode()


async def test_it_comes_up_proven_with_all_that_the_chart_makes(shop: tuple[StackLab, Pipeline]) -> None:
    lab, _ = shop
    live = await lab.live()
    assert said(live) == READY
    assert condition(live, "Proven")["status"] == "True"
    deployment = await lab.must("Deployment", "demo-shop-front")
    assert (
        deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"] == "demo-shop-tls-1"
    )
    assert len(await secret(lab)) == 32
    assert await lab.must("PersistentVolumeClaim", "demo-shop-store-data")
    assert await lab.lab.get(STATEFUL_SET, "demo-shop-store")
    assert await lab.get("NetworkPolicy", "demo-shop") is None


async def test_hooks_run_in_their_order_around_the_workloads(lab: StackLab) -> None:
    made: list[str] = []
    await lab.create(SPEC % "")
    async with lab.operator(with_shop()) as operator:

        async def step() -> bool:
            await lab.reconcile(operator)
            made.extend(sorted(set(await jobs(lab)) - set(made)))
            if await lab.get("Deployment", "demo-shop-front") and "Deployment" not in made:
                made.append("Deployment")
            await lab.play()
            return condition(await lab.live(), "Ready")["status"] == "True"

        await lab.eventually(step, lambda done: done)
    order = [
        name.removeprefix("demo-shop-").split("-")[0] for name in made if "prove" not in name and "-db" not in name
    ]
    assert [name for name in order if name != "plain"] == ["sql", "first", "second", "Deployment", "once"]
    assert order.index("plain") > order.index("sql")


async def test_a_second_pass_writes_nothing_and_asks_nothing(shop: tuple[StackLab, Pipeline]) -> None:
    lab, operator = shop
    await lab.reconcile(operator)
    live = await lab.live()
    lab.calls.clear()
    await operator.reconcile(live)
    assert dict(lab.calls) == {}


async def test_an_operator_that_starts_anew_keeps_the_secret_and_writes_nothing(
    shop: tuple[StackLab, Pipeline],
) -> None:
    lab, _ = shop
    before, key = await lab.versions(), await secret(lab)
    shared_charts.cache_clear()
    async with lab.operator(with_shop()) as fresh:
        await lab.converge(fresh)
        lab.calls.clear()
        await lab.reconcile(fresh)
        planned = await fresh.plan(await _stack(lab))
    assert lab.writes() == {}
    assert await lab.versions() == before
    assert await secret(lab) == key
    assert planned.plan.units


async def _stack(lab: StackLab) -> AIStack:
    return parse_stack(await lab.live())


async def test_other_values_are_another_release(shop: tuple[StackLab, Pipeline]) -> None:
    lab, operator = shop
    before = await jobs(lab)
    await lab.change(SPEC % ", values: {chart: {colour: red}}")
    await lab.until(operator, lambda live: live["status"]["observedGeneration"] == 2 and said(live) == READY)
    assert (await lab.must("ConfigMap", "demo-shop-config"))["data"]["colour"] == "red"
    again = {name.rpartition("-")[0] for name in set(await jobs(lab)) - set(before)}
    assert {"demo-shop-first", "demo-shop-second", "demo-shop-plain"} <= again
    assert "demo-shop-once" not in again


async def test_what_somebody_changes_is_put_back(shop: tuple[StackLab, Pipeline]) -> None:
    lab, operator = shop
    config = await lab.must("ConfigMap", "demo-shop-config")
    (await lab.client.replace({**config, "data": {**config["data"], "colour": "pink"}})).result()

    async def step() -> str:
        await lab.reconcile(operator)
        return str((await lab.must("ConfigMap", "demo-shop-config"))["data"]["colour"])

    await lab.eventually(step, lambda colour: colour == "blue")


async def test_a_patch_of_the_users_arrives(shop: tuple[StackLab, Pipeline]) -> None:
    lab, operator = shop
    patches = "[{target: {kind: Deployment}, jsonPatch: [{op: add, path: /spec/minReadySeconds, value: 1}]}]"
    await lab.change(SPEC % f", patches: {patches}")
    await lab.until(operator, lambda live: live["status"]["observedGeneration"] == 2)
    assert (await lab.must("Deployment", "demo-shop-front"))["spec"]["minReadySeconds"] == 1


async def test_deletion_leaves_its_data_and_nothing_else(shop: tuple[StackLab, Pipeline]) -> None:
    lab, operator = shop
    await lab.delete()
    await lab.vanish(operator)
    assert await lab.get("Deployment", "demo-shop-front") is None
    assert await lab.get("ConfigMap", "demo-shop-config") is None
    assert {name for name in await jobs(lab) if "shop" in name} == set()
    assert await lab.must("PersistentVolumeClaim", "demo-shop-store-data")


BAD = {
    "syntax": ("{{ if }}", "missing value for if"),
    "lookup": ('{{ lookup "v1" "Secret" "" "" }}', "chart/templates/x.yaml:1: calls lookup"),
    "cluster-admin": (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: demo-shop-x}\n",
        "ClusterRoleBinding demo-shop-x: kind is ClusterRoleBinding",
    ),
    "chance": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo-shop-x}\ndata: {a: {{ uuidv4 }}}\n",
        "makes another ConfigMap demo-shop-x: data.a each time",
    ),
}


@pytest.mark.parametrize(("template", "says"), BAD.values(), ids=BAD)
async def test_a_bad_chart_stalls_its_stack_and_what_runs_stays(
    shop: tuple[StackLab, Pipeline], tmp_path: Path, template: str, says: str
) -> None:
    lab, _ = shop
    before = await lab.versions()
    bad = with_shop(changed(tmp_path, {"chart/templates/x.yaml": template}))
    async with lab.operator(bad) as operator:
        live = await lab.reconcile(operator)
    assert said(live) == ("False", "True", "InvalidCatalog")
    assert says in condition(live, "Stalled")["message"]
    assert await lab.versions() == before


async def test_a_template_without_end_holds_up_no_other_stack(
    lab: StackLab, control_plane: ControlPlane, tmp_path: Path
) -> None:
    endless = {"chart/templates/x.yaml": "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}"}
    slow = changed(tmp_path, endless)
    catalog = both(slow)
    await lab.create("{components: [{name: db}, {name: slow}]}")
    async with stack_lab(control_plane) as other, lab.operator(catalog) as operator:
        await other.create("{components: [{name: db}]}")
        with patch.object(helm_module, "RENDER", Limits(seconds=20)):
            bad = asyncio.create_task(operator.reconcile(await lab.live()))
            await asyncio.sleep(0.5)
            await operator.reconcile(await other.live())
            assert not bad.done(), "it is still being rendered"
            with pytest.raises(NotReadyError, match=r"it took longer than 20 s|it was ended"):
                await bad
        live = await lab.live()
        assert "components/shop/component.yaml: rendering" in live["status"]["message"]
        assert await other.get("Deployment", "demo-db")


def both(slow: Component) -> Catalog:
    """The shop as it is, and another one under another name."""
    catalog = with_shop()
    named = replace(slow, spec=slow.spec.model_copy(update={"name": "slow"}))
    return replace(catalog, components={**catalog.components, "slow": named})


async def test_plans_of_charts_are_made_in_threads_of_their_own(lab: StackLab) -> None:
    await lab.create(SPEC % "")
    plans = Plans(charts=Charts(Helm(str(helm()))))
    planned = await plans.plan(await _stack(lab), with_shop(), Observed(), ())
    assert {unit.name for unit in planned.plan.units} == {"db", "shop"}
