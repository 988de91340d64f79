"""The election by a Lease: who leads when, and that nobody else writes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aistack.cluster.client import Client
from aistack.cluster.lease import LEASE, Candidate, Election, Terms
from aistack.errors import NotLeadingError
from aistack.objects.manifest import Manifest, ObjectRef
from tests.integration.cluster.lab import Lab, eventually

pytestmark = pytest.mark.integration

SHORT = Terms(lasts=2.0, relied=1.4, renewal=0.2, look=0.1)


class Clock:
    """Goes with the loop's, and jumps when told to, as after a pause of the process."""

    def __init__(self) -> None:
        self.paused = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.paused


class Replica:
    """One candidate, and how often it began and ended to lead."""

    def __init__(self, lab: Lab, client: Client, name: str) -> None:
        self.clock, self.begun, self.ended = Clock(), 0, 0
        self.ref = ObjectRef(LEASE.api_version, LEASE.kind, lab.namespace, "leader")
        self.election = Election(client, Candidate(lab.namespace, "leader", name, {"of": name}), SHORT, self.clock)

    async def lead(self) -> None:
        self.begun += 1
        try:
            await asyncio.sleep(math.inf)
        finally:
            self.ended += 1

    async def leads(self) -> bool:
        return self.election.leads and self.begun > self.ended


@asynccontextmanager
async def taking_part(lab: Lab, name: str) -> AsyncIterator[Replica]:
    async with await lab.stranger() as client:
        replica = Replica(lab, client, name)
        task = asyncio.create_task(replica.election.run(replica.lead))
        try:
            yield replica
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def lease(lab: Lab, replica: Replica) -> Manifest:
    return (await lab.client.get(replica.ref)).result()


async def test_one_leads_and_the_next_one_follows_at_once_when_it_goes(lab: Lab) -> None:
    async with taking_part(lab, "two") as two:
        await eventually(two.leads)
        async with taking_part(lab, "one") as one:
            await asyncio.sleep(SHORT.lasts * 1.5)
            assert (one.begun, two.begun, two.ended) == (0, 1, 0)
            with pytest.raises(NotLeadingError, match="this replica doesn't lead; two does"):
                one.election.require()
            two.election.require()
            assert one.election.annotations == {"of": "two"}
            spec = (await lease(lab, two))["spec"]
            assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("two", 2, 0)
    assert (await lease(lab, two))["spec"]["holderIdentity"] == ""
    async with taking_part(lab, "three") as three:
        started = asyncio.get_running_loop().time()
        await eventually(three.leads)
        assert asyncio.get_running_loop().time() - started < SHORT.lasts / 2
        assert (await lease(lab, three))["spec"]["leaseTransitions"] == 1


async def test_who_was_paused_past_its_lease_may_not_write_before_it_knows_who_leads(lab: Lab) -> None:
    async with taking_part(lab, "one") as one:
        await eventually(one.leads)
        one.clock.paused += SHORT.relied
        with pytest.raises(NotLeadingError):
            one.election.require()
        await eventually(one.leads)
        assert one.begun - one.ended == 1
        assert one.ended <= 1


async def test_a_lease_that_somebody_else_took_is_given_up_at_the_next_renewal(lab: Lab) -> None:
    async with taking_part(lab, "one") as one:
        await eventually(one.leads)
        (await lab.client.merge(one.ref, {"spec": {"holderIdentity": "usurper", "leaseDurationSeconds": 1}})).result()

        async def gave_up() -> bool:
            return one.ended == 1

        await eventually(gave_up)
        await eventually(one.leads)  # the usurper never renews
        assert one.begun == 2


CHANGES: dict[str, dict[str, Any]] = {
    "a note": {"metadata": {"annotations": {"note": "text"}}},
    "a label": {"metadata": {"labels": {"team": "platform"}}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_who_touches_the_lease_ends_nothing(lab: Lab, change: dict[str, Any]) -> None:
    async with taking_part(lab, "one") as one:
        await eventually(one.leads)
        (await lab.client.merge(one.ref, change)).result()
        await asyncio.sleep(SHORT.lasts)
        assert await one.leads()
        assert one.ended == 0


async def test_a_lease_that_is_deleted_is_made_anew_by_its_holder(lab: Lab) -> None:
    async with taking_part(lab, "one") as one:
        await eventually(one.leads)
        (await lab.client.delete(one.ref, (await lease(lab, one))["metadata"]["uid"])).result()
        await asyncio.sleep(SHORT.lasts)
        assert await one.leads()
        assert (await lease(lab, one))["spec"]["holderIdentity"] == "one"


async def test_the_same_replica_started_anew_leads_at_once(lab: Lab) -> None:
    async with await lab.stranger() as client:
        died = Replica(lab, client, "one")
        await died.election.attempt()
        assert died.election.leads
    async with taking_part(lab, "one") as again:
        started = asyncio.get_running_loop().time()
        await eventually(again.leads)
        assert asyncio.get_running_loop().time() - started < SHORT.lasts / 2


async def test_a_fenced_client_looks_and_does_not_write(lab: Lab) -> None:
    step = lab.config("c", k="v")
    async with await lab.stranger() as client:
        replica = Replica(lab, client, "one")
        lab.client.let(replica.election.require)
        try:
            assert (await lab.client.get(step.ref)).status == 404
            for writes in (lab.client.create(step.manifest), lab.client.apply(step.manifest)):
                with pytest.raises(NotLeadingError):
                    await writes
            assert (await client.get(step.ref)).status == 404
        finally:
            lab.client.let(lambda: None)
