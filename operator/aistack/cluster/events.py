"""Events: news of an object that ``kubectl describe`` and ``kubectl get events`` show."""

from __future__ import annotations

from datetime import datetime

import structlog

from aistack.cluster.client import Client
from aistack.errors import AIStackError
from aistack.objects.manifest import Manifest, content_hash

log = structlog.get_logger(__name__)

LONGEST = 1000
"""Kubernetes' limit for an Event's message, with room to spare (1,024)."""


async def emit(client: Client, about: Manifest, reason: str, message: str, now: datetime, *, warning: bool) -> None:
    """Write an Event, once for the same news of the same moment; one that can't be written is only logged.

    Args:
        client: writes it.
        about: the object that it tells of.
        reason: why, as one word for programs.
        message: why, for people; free of secrets.
        now: the time, in UTC.
        warning: whether it is bad news.
    """
    metadata = about["metadata"]
    at = now.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    manifest: Manifest = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{content_hash([metadata['uid'], reason, message, at])}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            **{key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")},
        },
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message[:LONGEST],
        "source": {"component": client.field_manager},
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    try:
        reply = await client.create(manifest)
        if reply.status != 409:
            reply.result()
    except AIStackError as error:
        log.warning("event not written", reason=reason, error=str(error))
