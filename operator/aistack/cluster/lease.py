"""Leader election by a Lease: of several replicas one works, and the others wait for their turn.

No clock is compared with another one's: a replica counts from when it saw the Lease change. It leads, by its own clock,
until some seconds before anybody who saw its last renewal could take the Lease. That is checked before each write, so
a process that was stopped meanwhile writes nothing when it goes on.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from aistack.cluster.client import Client
from aistack.cluster.home import create_at_home
from aistack.cluster.replies import Reply
from aistack.errors import AIStackError, NotLeadingError
from aistack.objects.manifest import Manifest, ObjectKind, ObjectRef

LEASE = ObjectKind("coordination.k8s.io/v1", "Lease")
GIVING_BACK = 2.0
"""Seconds that giving the Lease back may take: whoever ends can't wait for a server that doesn't answer."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Terms:
    """Seconds: how long a Lease lasts unless renewed, how long its holder relies on it, and between its renewals.

    Those who wait look at it every ``look`` seconds: what they see late, they take late.
    """

    lasts: float = 15.0
    relied: float = 10.0
    renewal: float = 2.0
    look: float = 1.0


@dataclass(frozen=True)
class Candidate:
    """One replica: the Lease that it wants, what tells it apart, and what the Lease is to say of a leader."""

    namespace: str
    lease: str
    identity: str
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> ObjectRef:
        """The Lease."""
        return ObjectRef(LEASE.api_version, LEASE.kind, self.namespace, self.lease)


def running_time() -> float:
    """Return seconds that go on while the machine sleeps, and never jump; from any start."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Election:
    """One replica's part in the election.

    Args:
        client: its own, so that no other request is waited for.
        candidate: this replica.
        terms: how long everything takes.
        clock: seconds from any start.
    """

    def __init__(
        self, client: Client, candidate: Candidate, terms: Terms = Terms(), clock: Callable[[], float] = running_time
    ) -> None:
        self.trouble = "the Lease was not read yet"
        """Why it isn't known who leads; empty if it is."""
        self.turns = 0
        """How often this replica became the leader."""
        self._client, self._me, self._terms, self._clock = client, candidate, terms, clock
        self._lease: Manifest | None = None
        self._seen_at = -math.inf
        self._until = -math.inf

    @property
    def leads(self) -> bool:
        """Whether this replica may write."""
        return self._clock() < self._until

    @property
    def leader(self) -> str:
        """Who holds the Lease, as far as is known; empty if nobody does."""
        return str(self._spec.get("holderIdentity") or "")

    @property
    def annotations(self) -> Mapping[str, str]:
        """What the Lease says of the leader."""
        return (self._lease or {}).get("metadata", {}).get("annotations") or {}

    def require(self) -> None:
        """Refuse to go on unless this replica leads.

        Raises:
            NotLeadingError: it doesn't, or no longer.
        """
        if not self.leads:
            whose = "its Lease ran out" if self.leader == self._me.identity else f"{self.leader or 'nobody'} does"
            raise NotLeadingError(f"this replica doesn't lead; {whose}")

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Take part until cancelled, and give the Lease back then.

        Args:
            lead: the leader's work; cancelled when the Lease is lost, called again when it is won again.
        """
        try:
            while True:
                await self._wait()
                await self._lead(lead)
        finally:
            await self.give_back()

    async def give_back(self) -> None:
        """Let the next one in at once, if this replica leads; its work must have ended."""
        if not self.leads or self._lease is None:
            return
        self._until = -math.inf
        free = self._with({**self._spec, "holderIdentity": "", "leaseDurationSeconds": 1}, {})
        with suppress(TimeoutError, AIStackError):
            async with asyncio.timeout(GIVING_BACK):
                (await self._client.replace(free)).result()
                log.info("gave the Lease back")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _wait(self) -> None:
        while not self.leads:
            await self.attempt()
            if not self.leads:
                await _sleep(self._terms.look if self.trouble else self._next_look())

    async def _lead(self, lead: Callable[[], Awaitable[None]]) -> None:
        self.turns += 1
        log.info("leads from now on", identity=self._me.identity)
        tasks = [asyncio.ensure_future(lead()), asyncio.create_task(self._keep())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]
        log.warning("leads no longer", leader=self.leader, why=self.trouble or "somebody else holds the Lease")

    async def _keep(self) -> None:
        while self.leads:
            await _sleep(self._terms.renewal)
            await self.attempt()

    def _next_look(self) -> float:
        """Return the seconds until the next look: no later than a moment after the Lease is free."""
        free_in = self._seen_at + self._lasts - self._clock()
        return min(self._terms.look, max(free_in, 0.0) + self._terms.look / 5)

    async def attempt(self) -> None:
        """Try to take the Lease or to renew it; that it can't be asked for is no reason to give it up before time."""
        before, self.trouble = self.trouble, ""
        try:
            async with asyncio.timeout(self._terms.relied / 2):
                await self._try()
        except TimeoutError:
            self.trouble = f"{self._me.ref}: no answer in time"
        except AIStackError as error:
            self.trouble = str(error)
        if self.trouble not in ("", before):
            log.warning("the Lease can't be asked for", error=self.trouble)

    async def _try(self) -> None:
        if not self.leads:
            await self._look()
        if self._lease is not None and not self._is_free():
            return
        started = self._clock()
        reply = await self._write(self._claimed())
        if reply.status in (404, 409):  # somebody was faster, or touched it
            await self._look()
            if self.leader != self._me.identity:
                self._until = -math.inf
            return
        self._see(reply.result())
        self._until = started + self._terms.relied

    async def _look(self) -> None:
        reply = await self._client.get(self._me.ref)
        self._see(None if reply.status == 404 else reply.result())

    async def _write(self, lease: Manifest) -> Reply:
        if "resourceVersion" in lease["metadata"]:
            return await self._client.replace(lease)
        return await create_at_home(self._client, lease)

    def _see(self, lease: Manifest | None) -> None:
        """Take note of the Lease as it is; from each change on it lasts anew."""
        if _of_importance(lease) != _of_importance(self._lease):
            self._seen_at = self._clock()
        self._lease = lease

    def _is_free(self) -> bool:
        return self.leader in ("", self._me.identity) or self._clock() >= self._seen_at + self._lasts

    @property
    def _lasts(self) -> float:
        return float(self._spec.get("leaseDurationSeconds") or self._terms.lasts)

    @property
    def _spec(self) -> Mapping[str, Any]:
        return (self._lease or {}).get("spec") or {}

    def _claimed(self) -> Manifest:
        """Return the Lease as it is when this replica holds it."""
        now, mine = _now(), self.leader == self._me.identity
        spec = {
            "holderIdentity": self._me.identity,
            "leaseDurationSeconds": math.ceil(self._terms.lasts),
            "acquireTime": self._spec.get("acquireTime", now) if mine else now,
            "renewTime": now,
            "leaseTransitions": int(self._spec.get("leaseTransitions") or 0) + (not mine and self._lease is not None),
        }
        return self._with(spec, self._me.annotations)

    def _with(self, spec: Mapping[str, Any], annotations: Mapping[str, str]) -> Manifest:
        known = (self._lease or {}).get("metadata", {})
        metadata = {key: known[key] for key in ("resourceVersion", "uid", "labels") if key in known}
        metadata |= {"name": self._me.lease, "namespace": self._me.namespace, "annotations": dict(annotations)}
        return {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": dict(spec)}


def _of_importance(lease: Manifest | None) -> object:
    return lease and (lease["metadata"]["uid"], lease.get("spec"))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def _sleep(seconds: float) -> None:
    """Wait for about so long: replicas that started together needn't ask together."""
    await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311 - not for cryptography
