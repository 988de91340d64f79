"""A stack's life, stage by stage, each with at most one fault; after each stage all must be as without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aistack.api.group import API_VERSION, KIND, ROTATE
from aistack.errors import ClusterError
from aistack.objects.manifest import Manifest, ObjectRef
from tests.faults import state
from tests.faults.process import Process
from tests.faults.proxy import Armed, Proxy
from tests.faults.stage import BrokenError, Met, Plane, Stage
from tests.integration.stacklab import condition
from tests.toy import TOY

NAME = "demo"
PATIENCE = 150.0
"""Seconds that a stage may take; a busy machine is slow."""
QUIET, LONG_QUIET = 0.8, 3.0
"""Seconds without a request after which the operator is taken to be done; the longer where the end isn't known yet."""
UNMET = 6.0
"""Seconds after the end that a fault may take to find its call."""
HELP = 3.0
"""Seconds after which a user helps, again if need be."""
FIRST = {"profile": "toy", "proofs": {"every": "24h"}, "deletionPolicy": "Delete"}


@dataclass
class Life:
    """One stack in a namespace of its own, its operator, and the proxy between it and the API server."""

    plane: Plane
    namespace: str
    whole: bool = False
    operator: Process = field(init=False)
    proxy: Proxy = field(init=False)
    _since: float = 0.0
    """When it was first seen at rest."""
    _touched: float = 0.0

    @asynccontextmanager
    async def living(self) -> AsyncIterator[Life]:
        """Make the namespaces and the proxy; take them away at the end."""
        await self._make_namespaces()
        self.proxy = Proxy(self.plane.cluster.url, self.plane.session, self.namespace, self._killed)
        async with self.proxy.serving():
            config = self.proxy.kubeconfig(self.plane.folder / f"{self.namespace}.kubeconfig")
            log = self.plane.folder / f"{self.namespace}.log"
            self.operator = Process(config, self.namespace, TOY, log, self.whole)
            try:
                yield self
            finally:
                self.operator.kill()
                await self._remove_namespaces()

    def _killed(self) -> None:
        self.operator.kill()

    @property
    def ref(self) -> ObjectRef:
        """The stack."""
        return ObjectRef(API_VERSION, KIND, self.namespace, NAME)

    @property
    def stack(self) -> Manifest | None:
        """The stack as it was last seen."""
        return self.plane.hands.stacks.get((self.namespace, NAME))

    # ------------------------------------------------------------------ a stage

    async def run(
        self,
        stage: Stage,
        armed: Armed | None = None,
        expected: Met | None = None,
        options: frozenset[str] = frozenset(),
    ) -> Met:
        """Do a stage, with a fault to come, until it ends as expected; ``options`` are the operator's.

        Raises:
            BrokenError: it doesn't.
        """
        started, starts = time.monotonic(), self.operator.starts
        self.proxy.begin(armed)
        self.operator.options = options | (armed.fault.options if armed and armed.fault else frozenset())
        if self.operator.options != self.operator.has and self.operator.running:
            self.operator.kill()  # it is to start with them, or without those of the last stage
        await stage.act(self)
        found = await self.settle(stage, expected)
        struck = armed is None or armed.struck
        seconds, starts = time.monotonic() - started, self.operator.starts - starts
        met = Met(found, list(self.proxy.entries), seconds, struck, starts)
        if expected is not None:
            _check(stage, met, expected, self)
        return met

    async def settle(self, stage: Stage, expected: Met | None = None) -> state.State:
        """Wait until a stage's end, and return how it is.

        Raises:
            BrokenError: it isn't as expected, however long one waits.
        """
        self._since, problems = 0.0, ["it never came to rest"]
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            await asyncio.sleep(0.05)
            self.keep_running()
            await self._help()
            if not self._may_be_done(stage, QUIET if expected else LONG_QUIET):
                continue
            try:
                found = await state.read(self.plane.client, self.namespace, NAME)
            except ClusterError as error:
                problems = [str(error)]
                continue
            problems = expected.state.differences(found) if expected else found.faults
            if not problems:
                return found
            await asyncio.sleep(0.5)
        raise BrokenError("\n".join(problems[:8]) + f"\nstatus: {(self.stack or {}).get('status', {}).get('message')}")

    def tell_calls(self) -> Path:
        """Write down what the operator asked in this stage, and return where; its log says what it is at."""
        self.operator.tell_stacks()
        path = self.plane.folder / f"{self.namespace}.calls"
        first = self.proxy.entries[0].at if self.proxy.entries else 0.0
        path.write_text("".join(f"{e.at - first:8.3f} {e.status} {e.point}\n" for e in self.proxy.entries))
        return path

    async def until(self, holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        """Wait until something is so, while the operator works.

        Raises:
            BrokenError: it doesn't become so.
        """
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.keep_running()
            with suppress(ClusterError):
                if await holds():
                    return
            await asyncio.sleep(0.2)
        raise BrokenError(otherwise)

    async def _help(self) -> None:
        """Touch the stack now and then where the fault said that only the user can help."""
        armed = self.proxy.armed
        told = armed is not None and armed.struck and armed.fault is not None and armed.fault.touch
        if told and time.monotonic() - self._touched > HELP:
            self._touched = time.monotonic()
            await self.touch()

    def _may_be_done(self, stage: Stage, quiet: float) -> bool:
        """Whether all is at rest, and the fault had its time to find its call."""
        if not self._at_rest(stage, quiet):
            self._since = 0.0
            return False
        self._since = self._since or time.monotonic()
        armed = self.proxy.armed
        return armed is None or armed.struck or time.monotonic() - self._since > UNMET

    def keep_running(self) -> None:
        """Start the operator if it was killed; that it ended by itself ends the case."""
        self.operator.check()
        if self.operator.deaths:
            raise BrokenError("; ".join(self.operator.deaths))
        if not self.operator.running:
            self.operator.start()

    def _at_rest(self, stage: Stage, quiet: float) -> bool:
        stack = self.stack
        if self.proxy.quiet < quiet or min(self.proxy.watched, self.proxy.led) < self.operator.started:
            return False
        if stage.gone or stack is None:
            return stage.gone and stack is None
        if stack.get("status", {}).get("observedGeneration") != stack["metadata"]["generation"]:
            return False
        return all(condition(stack, kind)["status"] == "True" for kind in ("Ready", "Proven"))

    # ------------------------------------------------------------------ the user

    async def create(self, spec: Mapping[str, Any]) -> None:
        """Create the stack."""
        metadata = {"name": NAME, "namespace": self.namespace}
        manifest = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": dict(spec)}
        (await self.plane.client.create(manifest)).result()

    async def change(self, spec: Mapping[str, Any]) -> None:
        """Replace the stack's spec."""
        while True:
            live = (await self.plane.client.get(self.ref)).result()
            reply = await self.plane.client.replace({**live, "spec": dict(spec)})
            if reply.status != 409:
                break
        if reply.result()["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            self.forget_status()  # where nothing changed no news will come

    async def rotate(self, request: str = "token-1 web/sql") -> None:
        """Ask for new credentials of one connection."""
        await self._annotate(ROTATE, request)

    async def touch(self) -> None:
        """Change something that means nothing."""
        await self._annotate("example.com/touched", str(time.monotonic()))

    async def _annotate(self, key: str, value: str) -> None:
        reply = await self.plane.client.merge(self.ref, {"metadata": {"annotations": {key: value}}})
        if reply.status != 404:
            reply.result()

    async def delete(self) -> None:
        """Ask for the stack's deletion."""
        live = (await self.plane.client.get(self.ref)).result()
        (await self.plane.client.delete(self.ref, live["metadata"]["uid"])).result()

    def forget_status(self) -> None:
        """What was seen of the stack is of before the change: wait for news of it."""
        self.plane.hands.stacks.pop((self.namespace, NAME), None)

    async def _make_namespaces(self) -> None:
        for name in (self.namespace, f"{self.namespace}-system"):
            manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            (await self.plane.client.create(manifest)).result()

    async def _remove_namespaces(self) -> None:
        await self.plane.client.merge(self.ref, {"metadata": {"finalizers": None}})
        for name in (self.namespace, f"{self.namespace}-system"):
            ref = ObjectRef("v1", "Namespace", "", name)
            reply = await self.plane.client.get(ref)
            if reply.ok:
                await self.plane.client.delete(ref, reply.body["metadata"]["uid"])


FACTOR, START, SPARE = 1.5, 35, 25
"""Calls may be so many times those of the run without a fault, and those of each start of the operator (32) and some
passes more.

The most that was seen is 51 more, at a stage of 45 with one start.
"""


def _check(stage: Stage, met: Met, expected: Met, life: Life) -> None:
    """Compare a run with the one without a fault.

    Raises:
        BrokenError: it did what it shouldn't.
    """
    # A proof may run once more: then its Job is deleted once more, no oftener than it is made.
    again, extra = (met.done(verb) - expected.done(verb) for verb in ("create", "delete"))
    if unasked := [c for c, n in extra.items() if "prove" not in c.name or n > again[replace(c, verb="create")]]:
        raise BrokenError("deleted too much: " + ", ".join(map(str, unasked)))
    if met.calls() > FACTOR * expected.calls() + START * met.starts + SPARE:
        raise BrokenError(f"{met.calls()} calls instead of about {expected.calls()}")
    # A status may tell that part of the world can't be seen, and that it can again.
    if stage.still and (wrote := [p for p in met.writes() if p.call.resource != "aistacks/status"]):
        raise BrokenError("wrote without a reason: " + ", ".join(map(str, wrote)))
    same_secrets(life)


def same_secrets(life: Life) -> None:
    """Make sure that no Secret was made a second time.

    Raises:
        BrokenError: one was.
    """
    twice = [
        name for (space, name), uids in life.plane.hands.secrets.items() if space == life.namespace and len(uids) > 1
    ]
    if twice:
        raise BrokenError("made Secrets anew: " + ", ".join(twice))
