"""Events: news of an object that ``kubectl describe`` and ``kubectl get events`` show."""

from __future__ import annotations

from datetime import datetime

import structlog

from aistack.cluster.client import Client
from aistack.errors import AIStackError
from aistack.objects.manifest import Manifest, ObjectRef, content_hash, ref_of

log = structlog.get_logger(__name__)

LONGEST = 1000
"""Kubernetes' limit for an Event's message, with room to spare (1,024)."""


async def emit(client: Client, about: Manifest, reason: str, message: str, now: datetime, *, warning: bool) -> None:
    """Write an Event; the same news once more is counted on the one that is there. A failure is only logged.

    Args:
        client: writes it.
        about: the object that it tells of.
        reason: why, as one word for programs.
        message: why, for people; free of secrets.
        now: the time, in UTC.
        warning: whether it is bad news.
    """
    manifest = _event(about, reason, message[:LONGEST], now)
    manifest |= {"type": "Warning" if warning else "Normal", "source": {"component": client.field_manager}}
    try:
        reply = await client.create(manifest)
        if reply.status == 409:
            await _count(client, ref_of(manifest), manifest["lastTimestamp"])
        else:
            reply.result()
    except AIStackError as error:
        log.warning("event not written", reason=reason, error=str(error))


async def _count(client: Client, ref: ObjectRef, at: str) -> None:
    """Count news that was told before; whoever counts at the same time is content with either's number."""
    known = (await client.get(ref)).result()
    if known["lastTimestamp"] != at:
        (await client.merge(ref, {"count": int(known.get("count") or 1) + 1, "lastTimestamp": at})).result()


def _event(about: Manifest, reason: str, message: str, now: datetime) -> Manifest:
    metadata = about["metadata"]
    at = now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    name = f"{metadata['name']}.{content_hash([metadata['uid'], reason, message])}"
    involved = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "involvedObject": {"apiVersion": about["apiVersion"], "kind": about["kind"], **involved},
        "reason": reason,
        "message": message,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
