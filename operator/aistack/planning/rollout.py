"""Rollouts: how a Deployment's pods follow each other when those of two versions must not meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aistack.api.labels import VERSION
from aistack.objects.health import health_of
from aistack.objects.manifest import Manifest

OVERLAPPING: Mapping[str, Any] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
"""The new pod is ready before the former one goes: nobody notices."""
APART: Mapping[str, Any] = {"type": "Recreate"}
"""The former pod is gone before the new one starts."""


def rollout(live: Manifest | None, version: str) -> Mapping[str, Any]:
    """Return a Deployment's strategy: its pods overlap unless their version changes.

    Args:
        live: the Deployment as it is; None before its first time.
        version: of the pods that are wanted.
    """
    if live is None:
        return OVERLAPPING
    labels = live["spec"]["template"]["metadata"].get("labels", {})
    if labels.get(VERSION) != version:
        return APART
    # An upgrade that isn't through goes on as it began: its former pods may still be there.
    upgrading = live["spec"].get("strategy", {}).get("type") == APART["type"] and not health_of(live).current
    return APART if upgrading else OVERLAPPING
