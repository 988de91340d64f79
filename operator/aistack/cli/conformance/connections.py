"""Looks at the connections of running pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aistack.cli.conformance.place import POD, Place
from aistack.cli.conformance.sockets import PROGRAM, Peer, peers
from aistack.objects.manifest import Manifest, ObjectKind, ref_of
from aistack.planning.pods import CONTAINER_DEFAULTS, CONTAINER_SECURITY, POD_SECURITY

LOOK = "aistack-look"
SECONDS, PATIENCE = 20, 90.0
"""For how long a pod is looked at, and for how long that may take to come about."""
SERVICE = ObjectKind("v1", "Service")
NOBODY = 65532


async def look(place: Place, pod: Manifest, *, kubernetes: bool) -> tuple[list[Peer], set[str]]:
    """Return whom a pod is connected to in the next seconds, and the addresses that it may connect to meanwhile.

    A container with the runner's image joins the pod for that.

    Args:
        place: where.
        pod: whose connections.
        kubernetes: whether it may connect to the API server.

    Raises:
        NonconformingError: it can't be looked at.
    """
    ref = ref_of(pod)
    container: dict[str, Any] = {
        "name": LOOK,
        "image": place.catalog.runner.reference(str(place.images.get("registry", ""))),
        "command": ["python3", "-c", PROGRAM, str(SECONDS)],
        "securityContext": {**CONTAINER_SECURITY, **CONTAINER_DEFAULTS, **POD_SECURITY, "runAsUser": NOBODY},
    }
    (await place.client.merge(ref, {"spec": {"ephemeralContainers": [container]}}, "ephemeralcontainers")).result()

    known = set[str]()

    async def ended() -> bool:
        known.update(await _allowed(place, kubernetes=kubernetes))  # each time: some pods live for seconds
        return _ended((await place.client.get(ref)).result())

    await place.until(ended, f"{ref} can't be looked at: the container {LOOK} didn't end", PATIENCE)
    return list(peers(await place.client.log(ref, container=LOOK))), known


def _ended(pod: Manifest) -> bool:
    states = {s["name"]: s.get("state", {}) for s in pod["status"].get("ephemeralContainerStatuses", ())}
    return "terminated" in states.get(LOOK, {})


async def _allowed(place: Place, *, kubernetes: bool) -> set[str]:
    """Return the addresses that pods of the place may connect to: those of the place itself, DNS, the API server's.

    Args:
        place: where.
        kubernetes: whether the API server's are among them.
    """
    found = set[str]()
    for kind, namespace in ((SERVICE, place.namespace), (POD, place.namespace), (SERVICE, "kube-system")):
        for item in (await place.client.list(kind, namespace)).result()["items"]:
            found.update(_addresses(item))
    if kubernetes:
        (api,) = (s for s in await _default_services(place) if s["metadata"]["name"] == "kubernetes")
        found.update(_addresses(api))
    return found


async def _default_services(place: Place) -> list[Manifest]:
    items: list[Manifest] = (await place.client.list(SERVICE, "default")).result()["items"]
    return items


def _addresses(item: Manifest) -> Iterator[str]:
    yield from (ip for ip in item["spec"].get("clusterIPs", ()) if ip != "None")
    yield from (entry["ip"] for entry in item.get("status", {}).get("podIPs", ()))
