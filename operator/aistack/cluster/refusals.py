"""Pods that may not be made (quota, admission): StatefulSets and Jobs say so in Events only.

Events are asked for only while such a workload has no pod at all, and soon again: nothing else tells when they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aistack.cluster.context import Context
from aistack.cluster.live import Live
from aistack.cluster.settings import EVENT
from aistack.errors import AIStackError
from aistack.objects.health import HealthState
from aistack.objects.manifest import ObjectRef


async def refused_pods(ctx: Context, refs: Iterable[ObjectRef]) -> tuple[str, ...]:
    """Say why workloads have no pods; empty when they have some."""
    found = []
    for ref in refs:
        live = ctx.store.get(ref)
        if live is not None and _podless(live):
            ctx.look_again()
            found += await _refusal(ctx, live)
    return tuple(found)


def _podless(live: Live) -> bool:
    """Whether a workload's controller has made none of the pods that it should."""
    if live.health.state is not HealthState.IN_PROGRESS:
        return False
    status: Mapping[str, Any] = live.manifest.get("status") or {}
    if live.ref.kind == "StatefulSet":
        return not status.get("replicas") and bool(live.manifest["spec"].get("replicas", 1))
    ended = status.get("succeeded", 0) + status.get("failed", 0)
    return live.ref.kind == "Job" and not status.get("active") and not ended


async def _refusal(ctx: Context, live: Live) -> list[str]:
    selector = f"reason=FailedCreate,involvedObject.uid={live.uid}"
    try:
        events = (await ctx.client.list(EVENT, live.ref.namespace, fieldSelector=selector)).result()["items"]
    except AIStackError as error:
        return [f"{live.ref.kind} {live.ref.name} has no pods, and why can't be asked: {error}"]
    newest = sorted(events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))[-1:]
    return [f"{live.ref.kind} {live.ref.name} can't make pods: {event.get('message', '')[:300]}" for event in newest]
