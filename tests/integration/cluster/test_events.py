"""Events: the same news twice is one Event that counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aistack.cluster.events import emit
from aistack.cluster.settings import EVENT
from aistack.objects.manifest import Manifest
from tests.integration.cluster.lab import Lab

pytestmark = pytest.mark.integration

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_the_same_news_is_counted_and_other_news_stands_beside_it(lab: Lab) -> None:
    step = lab.config("c", k="v")
    about = (await lab.client.create(step.manifest)).result()
    for message, at in (("broke", 0), ("broke", 0), ("broke", 60), ("healed", 70), ("broke", 80)):
        await emit(lab.client, about, "EdgeBroken", message, NOW + timedelta(seconds=at), warning=True)

    items: list[Manifest] = (await lab.client.list(EVENT, lab.namespace)).result()["items"]
    found = [event for event in items if event["reason"] == "EdgeBroken"]
    told = {
        e["message"]: (e["count"], e["firstTimestamp"], e["lastTimestamp"])
        for e in found
        if e["reason"] == "EdgeBroken"
    }
    assert told == {
        "broke": (3, "2026-01-01T12:00:00Z", "2026-01-01T12:01:20Z"),
        "healed": (1, "2026-01-01T12:01:10Z", "2026-01-01T12:01:10Z"),
    }
    assert {e["involvedObject"]["uid"] for e in found} == {about["metadata"]["uid"]}


async def test_news_that_can_not_be_written_harms_nobody(lab: Lab) -> None:
    about = (await lab.client.create(lab.config("c", k="v").manifest)).result()
    gone = {**about, "metadata": {**about["metadata"], "namespace": "nowhere"}}
    await emit(lab.client, gone, "EdgeBroken", "broke", NOW, warning=True)
