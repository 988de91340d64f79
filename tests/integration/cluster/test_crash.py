"""The operator killed at every call of a small plan, before and after the call takes effect, and started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import pytest

from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.transport import Call
from aistack.objects.plan import Plan, Unit
from aistack.objects.recipes import Format, Generate
from tests.integration.cluster.lab import (
    CONFIG,
    DEPLOYMENT,
    JOB,
    MANAGER,
    SECRET,
    STACK,
    VOLUME,
    WRITES,
    Killed,
    Lab,
    eventually,
    plan_of,
)

pytestmark = pytest.mark.integration

AT_ONCE = 6
KINDS = (CONFIG, SECRET, VOLUME, DEPLOYMENT, JOB)


@dataclass
class Assassin:
    """Kills the engine at its n-th write: before it is sent, or once it took effect."""

    at: int
    after: bool
    seen: int = 0

    def __call__(self, call: Call) -> None:
        if call.verb in WRITES and bool(call.status) is self.after:
            self.seen += 1
            if self.seen >= self.at:
                raise Killed


Case = Callable[[Lab, Assassin], Awaitable[None]]


@contextmanager
def dying() -> Iterator[None]:
    """Expect a killing, alone or among the tasks that died with it."""
    try:
        yield
    except Killed:
        pass
    except BaseExceptionGroup as group:
        if group.split(Killed)[1]:
            raise


def first_plan(lab: Lab) -> Plan:
    secret = lab.secret("s", {"p": Generate(12)})
    other = lab.secret("t", {"p": Generate(8), "u": Format("x://{p}")}, unit="b")
    a = Unit("a", prepare=(secret, lab.config("c"), lab.volume("v")), actions=(lab.action("a", "claim"),))
    return plan_of(a, Unit("b", prepare=(other, lab.config("d", unit="b")), run=(lab.workload("w", unit="b"),)))


def second_plan(lab: Lab) -> Plan:
    """Another value, another generation, another claim, and unit b is gone."""
    secret = lab.secret("s", {"p": Generate(14)}, generation=2)
    a = Unit("a", prepare=(secret, lab.config("c", k="2"), lab.volume("v")), actions=(lab.action("a", "claim-2"),))
    return plan_of(a, retain_data=False)


async def converge(lab: Lab, engine: Engine, plan: Plan, job: str) -> None:
    async def settled() -> bool:
        outcome = await engine.apply(plan, lab.owner)
        await lab.play_kubelet()
        if not outcome.settled and job in await lab.names(JOB):
            await finish(lab, job)
        return outcome.settled and not outcome.removed

    await eventually(settled)


async def finish(lab: Lab, job: str) -> None:
    """Do what the missing kubelet would: let the Job's pods succeed."""
    for pod in await lab.pods_of(job):
        await lab.report(pod, {"phase": "Succeeded"})


async def world(lab: Lab) -> dict[str, set[str]]:
    """Names of all that carries our label, by kind."""
    found = {}
    for kind in KINDS:
        items = (await lab.client.list(kind, lab.namespace, labelSelector=f"{STACK}={lab.name}")).result()["items"]
        found[kind.kind] = {item["metadata"]["name"] for item in items}
    return found


@asynccontextmanager
async def victim(lab: Lab, assassin: Assassin) -> AsyncIterator[Engine]:
    """An engine that the assassin is to kill."""
    async with await Client.connect(MANAGER, str(lab.cluster.kubeconfig)) as client:
        client.hooks.append(assassin)
        with dying():
            async with lab.engine(client) as engine:
                yield engine
    assert assassin.seen >= assassin.at, f"there is no write {assassin.at} to be killed at"


async def kill(lab: Lab, assassin: Assassin, plan: Plan, job: str) -> None:
    """Run an engine of its own until the assassin strikes."""
    async with victim(lab, assassin) as engine:
        await converge(lab, engine, plan, job)


async def everywhere(lab: Lab, points: int, case: Case) -> None:
    """Run a case with a kill before and after each of its first writes, each in its own namespace."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(at: int, after: bool) -> None:
        async with slots, await Client.connect(MANAGER, str(lab.cluster.kubeconfig)) as client:
            own = Lab(lab.cluster, client)
            await own.make_namespace()
            try:
                await case(own, Assassin(at, after))
            except AssertionError as error:
                error.add_note(f"killed {'after' if after else 'before'} write {at}, namespace {own.namespace}")
                raise

    async with asyncio.TaskGroup() as group:
        for at in range(1, points + 1):
            for after in (False, True):
                group.create_task(one(at, after))


async def test_killed_at_every_write_of_applying(lab: Lab) -> None:
    async def case(lab: Lab, assassin: Assassin) -> None:
        plan = first_plan(lab)
        await kill(lab, assassin, plan, "claim")
        async with lab.engine() as engine:
            await converge(lab, engine, plan, "claim")
            lab.calls.clear()
            assert (await engine.apply(plan, lab.owner)).settled
            assert lab.writes() == 0
            secrets = (await engine.observe(lab.owner)).secrets
        assert {base: (record.generation, record.present) for base, record in secrets.items()} == {
            "s": (1, True),
            "t": (1, True),
        }
        live = await world(lab)
        assert live.pop("Job") <= {"claim"}
        assert live == {
            "ConfigMap": {"c", "d"},
            "Secret": {"s-1", "t-1"},
            "PersistentVolumeClaim": {"v"},
            "Deployment": {"w"},
        }

    await everywhere(lab, 10, case)


async def test_killed_at_every_write_of_changing(lab: Lab) -> None:
    async def case(lab: Lab, assassin: Assassin) -> None:
        async with lab.engine() as engine:
            await converge(lab, engine, first_plan(lab), "claim")
        plan = second_plan(lab)
        await kill(lab, assassin, plan, "claim-2")
        async with lab.engine() as engine:

            async def clean() -> bool:
                await converge(lab, engine, plan, "claim-2")
                live = await world(lab)
                return live.pop("Job") <= {"claim-2"} and live == {
                    "ConfigMap": {"c"},
                    "Secret": {"s-2"},
                    "PersistentVolumeClaim": {"v"},
                    "Deployment": set(),
                }

            await eventually(clean)

    await everywhere(lab, 11, case)


@pytest.mark.parametrize("retain", [pytest.param(True, id="retain"), pytest.param(False, id="delete")])
async def test_killed_at_every_write_of_deleting(lab: Lab, retain: bool) -> None:
    async def case(lab: Lab, assassin: Assassin) -> None:
        async with lab.engine() as engine:
            await converge(lab, engine, first_plan(lab), "claim")
        async with victim(lab, assassin) as engine:
            await lab.remove(engine, retain)
        async with lab.engine() as engine:
            await lab.remove(engine, retain)
        kept = {"Secret": {"s-1", "t-1"}, "PersistentVolumeClaim": {"v"}} if retain else {}
        nothing: dict[str, set[str]] = {kind.kind: set() for kind in KINDS}
        assert await world(lab) == nothing | kept
        system = replace(lab, namespace=lab.system)
        assert (f"inventory.{lab.namespace}.{lab.name}" in await system.names(CONFIG)) is retain

    await everywhere(lab, 8, case)
