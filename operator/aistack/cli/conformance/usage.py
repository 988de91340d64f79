"""What pods use, beside what they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aistack.cluster.client import Client
from aistack.errors import NonconformingError
from aistack.objects.manifest import Manifest
from aistack.objects.quantity import parse_quantity

MARGIN = 0.2
"""How far, as a part of the request, the use may be from it."""
MIB = 1024 * 1024


async def compare(client: Client, pods: Iterable[Manifest]) -> str:
    """Compare the memory that pods use, as their kubelets say, with what they ask for.

    Raises:
        NonconformingError: the request is too high or too low by more than the margin.
    """
    said, wrong = [], []
    for pod in pods:
        name, asked = pod["metadata"]["name"], _asked(pod)
        used = _used(await client.usage(pod["spec"]["nodeName"]), pod["metadata"]["uid"])
        line = f"{name} asks for {asked / MIB:.0f}Mi and uses {used / MIB:.0f}Mi"
        said.append(line)
        if asked and abs(used - asked) > MARGIN * asked:
            wrong.append(line)
    if wrong:
        raise NonconformingError("; ".join(wrong))
    return "; ".join(said)


def _asked(pod: Manifest) -> float:
    requests = (c.get("resources", {}).get("requests", {}) for c in pod["spec"]["containers"])
    return float(sum(parse_quantity(request.get("memory", "0")) for request in requests))


def _used(summary: Mapping[str, Any], uid: str) -> float:
    """Return the working set of a pod, what the kernel could reclaim left out."""
    found = (pod for pod in summary.get("pods", ()) if pod["podRef"]["uid"] == uid)
    return float(sum(pod.get("memory", {}).get("workingSetBytes", 0) for pod in found))
