"""The soak: random changes under random faults, from one seed; when it calms down, all must be as if nothing had been.

In the calm, three more things are held against each other: a dry run writes nothing, what it foretells of a change is
what the operator then writes, and a stack that is settled has nothing to change.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aistack.api.group import FIELD_MANAGER
from aistack.api.parse import parse_stack
from aistack.cluster.client import Client
from aistack.cluster.engine import Engine
from aistack.cluster.shelf import Shelf
from aistack.errors import AIStackError, ClusterError
from aistack.objects.diff import Change
from aistack.objects.manifest import ObjectKind, ObjectRef
from aistack.pipeline import Pipeline, always
from aistack.settings import engine_settings
from aistack.sharing import BINDING, Sharing
from tests.faults import state
from tests.faults.calls import HASHES, Call
from tests.faults.kinds import Fault, faults_at
from tests.faults.life import FIRST, NAME, Life
from tests.faults.matrix import Failure, Report, new_life
from tests.faults.proxy import Entry
from tests.faults.stage import BrokenError, Plane, Stage
from tests.toy import toy

ODDS = 0.06
"""Share of calls that meet a fault while it storms."""
CALM = 6
"""Changes between two calms."""
SLOW = {"hang", "hang after", "watch is mute"}
"""Faults that only a hurried or watchful operator gets over within a soak; it isn't one."""
_SPECS: tuple[Mapping[str, Any], ...] = (
    FIRST,
    {**FIRST, "components": [{"name": "web", "values": {"title": "Other"}}]},
    {**FIRST, "components": [{"name": "cache"}]},
    {**FIRST, "components": [{"name": "cache"}, {"name": "web", "values": {"users": ["admin", "ann"]}}]},
    {**FIRST, "components": [{"name": "web", "enabled": False}]},
    {**FIRST, "labels": {"team": "red"}},
    {**FIRST, "deletionPolicy": "Retain"},
)
_WRITTEN = frozenset(Change) - {Change.NONE, Change.RETAIN}


@dataclass
class Storm:
    """Random faults, for as long as it storms."""

    dice: random.Random
    blowing: bool = False
    struck: list[str] = field(default_factory=list)

    def __call__(self, call: Call) -> Fault | None:
        """Choose a fault for a call, or none."""
        if not self.blowing or self.dice.random() > ODDS:
            return None
        fault = self.dice.choice([f for f in faults_at(call) if f.name not in SLOW and not f.touch])
        self.struck.append(f"{fault} at {call}")
        return fault


@dataclass
class Soak:
    """One life under random faults.

    Args:
        plane: where.
        seed: of all that is random.
        end: when to stop, by the monotonic clock.
        tell: called with what is done.
    """

    plane: Plane
    seed: int
    end: float
    tell: Callable[[str], None]

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - not for cryptography
        self.storm = Storm(random.Random(self.seed + 1))  # noqa: S311 - not for cryptography
        self.report = Report()
        self.history: list[str] = []

    async def run(self) -> Report:
        """Live until the end."""
        while time.monotonic() < self.end and not self.report.failures:
            life = new_life(self.plane)
            try:
                async with life.living():
                    life.proxy.storm = self.storm
                    await self._live(life)
            except BrokenError as error:
                last = "; ".join(self.history[-CALM:])
                self.report.failures.append(Failure("soak", f"seed {self.seed}: {last}", str(error), life.namespace))
                self.tell(f"FAILED {self.report.failures[-1]}")
        self.report.run["soak/random fault"] = len(self.storm.struck)
        self.report.run["soak/calm"] += 0
        return self.report

    async def _live(self, life: Life) -> None:
        """Be created, changed now and then, and deleted in the storm."""
        life.operator.start()
        await life.create(FIRST)
        while time.monotonic() < self.end:
            self.storm.blowing = True
            for _ in range(CALM):
                await asyncio.sleep(self.dice.uniform(0.2, 4))
                life.keep_running()
                await self._change(life)
            self.storm.blowing = False
            await self._calm(life)
        self.storm.blowing = True
        await life.delete()
        await asyncio.sleep(2)
        self.storm.blowing = False
        life.proxy.begin()
        await life.settle(Stage("end", _nothing, gone=True))

    async def _change(self, life: Life) -> None:
        """Do something that a user, or a stranger, does."""
        act = self.dice.choice((self._spec, self._spec, self._rotate, self._delete_one, self._edit_one))
        with suppress(ClusterError):
            self.history.append(await act(life))
        self.tell(f"soak {life.namespace}: {self.history[-1] if self.history else ''}")

    async def _spec(self, life: Life) -> str:
        spec = self.dice.choice(_SPECS)
        await life.change(spec)
        return f"spec {spec}"

    async def _rotate(self, life: Life) -> str:
        await life.rotate(f"token-{self.dice.randrange(10**6)} web/sql")
        return "rotate"

    async def _delete_one(self, life: Life) -> str:
        ref = await self._one(life, ("Service", "NetworkPolicy", "Deployment", "ConfigMap"))
        reply = await self.plane.client.get(ref)
        if reply.ok:
            await self.plane.client.delete(ref, reply.body["metadata"]["uid"])
        return f"delete {ref.kind} {ref.name}"

    async def _edit_one(self, life: Life) -> str:
        ref = await self._one(life, ("ConfigMap",))
        await self.plane.client.merge(ref, {"data": {"extra": str(self.dice.random())}})
        return f"edit {ref.name}"

    async def _one(self, life: Life, kinds: tuple[str, ...]) -> ObjectRef:
        kind = self.dice.choice([k for k in state.KINDS if k.kind in kinds])
        items = (await self.plane.client.list(kind, life.namespace, labelSelector=f"aistack.dev/stack={NAME}")).result()
        names = sorted(item["metadata"]["name"] for item in items["items"]) or ["none"]
        return ObjectRef(kind.api_version, kind.kind, life.namespace, self.dice.choice(names))

    async def _calm(self, life: Life) -> None:
        """All is settled, nothing is left to change; and what is foretold of a change is what is done."""
        life.proxy.begin()
        await life.settle(Stage("calm", _nothing))
        self.report.run["soak/calm"] += 1
        if left := await self._foretold(life, await self._live_spec(life)):
            raise BrokenError(f"settled, and yet to be changed: {sorted(left)}")
        spec = self.dice.choice(_SPECS)
        self.history.append(f"calm, then {spec}")
        foretold = await self._foretold(life, spec)
        life.proxy.begin()
        await life.change(spec)
        await life.settle(Stage("calm", _nothing))
        done = _done(life.proxy.entries)
        if differ := {w for w in foretold ^ done if not _follows(w)}:
            raise BrokenError(f"foretold {sorted(foretold)}, done {sorted(done)}, so {sorted(differ)} differ")

    async def _live_spec(self, life: Life) -> Mapping[str, Any]:
        live: Mapping[str, Any] = (await self.plane.client.get(life.ref)).result()["spec"]
        return live

    async def _foretold(self, life: Life, spec: Mapping[str, Any]) -> set[str]:
        """Return what a dry run says would be written, by kind and name; it must leave all as it was."""
        versions = await versions_of(self.plane.client, life.namespace)
        live = (await self.plane.client.get(life.ref)).result()
        async with await Client.connect(FIELD_MANAGER, str(self.plane.cluster.kubeconfig)) as client:
            found = await foretell(client, life.namespace, {**live, "spec": dict(spec)})
        if await versions_of(self.plane.client, life.namespace) != versions:
            raise BrokenError("a dry run wrote something")
        return found


async def foretell(client: Client, namespace: str, stack: Mapping[str, Any]) -> set[str]:
    """Ask as ``aistack plan`` does what a stack would change; ``client`` has the operator's field manager."""
    settings = engine_settings(f"{namespace}-system", [namespace])
    engine = Engine(client, settings, watching=False)
    shelf = Shelf(client, settings, BINDING, watching=False)
    pipeline = Pipeline(client, engine, always(toy()), Sharing(client, shelf))
    try:
        _, preview = await pipeline.preview(parse_stack(dict(stack)))
    except AIStackError as error:
        raise BrokenError(f"no dry run: {error}") from error
    changed = (change for change in preview.changes if change.change in _WRITTEN)
    return {_plain(change.ref.kind, change.ref.name) for change in changed}


async def versions_of(client: Client, namespace: str) -> dict[str, str]:
    """Return the resourceVersion of all that a stack has, its inventory included."""
    found = {}
    for where, kinds in ((namespace, state.KINDS), (f"{namespace}-system", (ObjectKind("v1", "ConfigMap"),))):
        for kind in kinds:
            for item in (await client.list(kind, where)).result()["items"]:
                found[f"{kind.kind} {item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
    return {name: version for name, version in found.items() if "kube-root-ca" not in name}


_PLURALS = {f"{kind.kind.lower()}s": kind.kind for kind in state.KINDS} | {"networkpolicies": "NetworkPolicy"}


def _done(entries: Iterable[Entry]) -> set[str]:
    """Return what was written to a stack's objects."""
    calls = (entry.point.call for entry in entries if entry.point.call.writes and entry.effective)
    return {
        _plain(_PLURALS[call.resource], call.name)
        for call in calls
        if call.resource in _PLURALS and not call.name.startswith("inventory.")
    }


def _plain(kind: str, name: str) -> str:
    return f"{kind} {HASHES.sub('HASH', name)}"


def _follows(written: str) -> bool:
    """Whether a write isn't foretold, as it follows from how things go: proofs, and what ends former credentials."""
    return written.startswith("Job ")


async def _nothing(_: Life) -> None:
    pass


async def soak(plane: Plane, seed: int, minutes: float, lives: int, tell: Callable[[str], None]) -> Report:
    """Let some lives soak, each with a seed of its own."""
    started = time.monotonic()
    runs = [Soak(plane, seed + number * 1000, started + minutes * 60, tell) for number in range(lives)]
    report = Report()
    for found in await asyncio.gather(*(run.run() for run in runs)):
        report.add(found)
    report.seconds = time.monotonic() - started
    return report
