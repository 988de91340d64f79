"""The immutable-field table: what to do when a field must change that Kubernetes doesn't let change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aistack.errors import SpecError
from aistack.objects.manifest import Manifest
from aistack.objects.plan import Strategy
from aistack.objects.quantity import parse_quantity

RECREATED: Mapping[str, tuple[tuple[str, ...], Strategy]] = {
    "Deployment": (("spec.selector",), Strategy.RECREATE),
    "DaemonSet": (("spec.selector",), Strategy.RECREATE),
    "StatefulSet": (("spec.selector", "spec.serviceName", "spec.podManagementPolicy"), Strategy.RECREATE_ORPHAN),
    "RoleBinding": (("roleRef",), Strategy.RECREATE),
    "Service": (("spec.clusterIP",), Strategy.RECREATE),
}
"""Kinds that are made anew without loss: their immutable fields, and how."""

CLASS = "spec.storageClassName"
KEPT: Mapping[str, tuple[str, ...]] = {
    "PersistentVolumeClaim": (CLASS, "spec.accessModes", "spec.volumeMode"),
}
"""Kinds that hold data: their immutable fields; a change is refused once there can be data."""


def strategy(desired: Manifest, live: Manifest | None) -> Strategy:
    """Choose how to bring a live object to its desired state."""
    fields, how = RECREATED.get(desired["kind"], ((), Strategy.APPLY))
    if live is not None and _is_empty(live):
        fields, how = KEPT[desired["kind"]], Strategy.RECREATE
    changed = live is not None and any(_differs(desired, live, path) for path in fields)
    return how if changed else Strategy.APPLY


def check_kept(desired: Manifest, live: Manifest | None, field: str, class_field: str) -> None:
    """Refuse what can't be done to a volume without losing data.

    Args:
        desired: what the plan wants.
        live: what exists.
        field: the component's path in the stack, for messages.
        class_field: the path of the storage class, which the component or the stack sets.

    Raises:
        SpecError: the volume would shrink, or an immutable field would change.
    """
    if live is None or desired["kind"] not in KEPT:
        return
    name = desired["metadata"]["name"]
    for path in KEPT[desired["kind"]]:
        if not _is_empty(live) and _differs(desired, live, path):
            raise SpecError(
                class_field if path == CLASS else f"{field}.storage",
                f"{name} has {path} {_get(live, path)!r}, and it can't become {_get(desired, path)!r}",
                "put the old value back, or delete the volume with its data and let it be made anew",
            )
    _check_size(desired, live, f"{field}.storage.size")


def _is_empty(live: Manifest) -> bool:
    """Whether a volume was asked for and never came, e.g. for a storage class that doesn't exist."""
    pending = _get(live, "status.phase") == "Pending" and not _get(live, "spec.volumeName")
    return live["kind"] == "PersistentVolumeClaim" and pending


def _check_size(desired: Manifest, live: Manifest, field: str) -> None:
    path = "spec.resources.requests.storage"
    wanted, there = _get(desired, path), _get(live, path)
    if wanted and there and parse_quantity(wanted) < parse_quantity(there):
        name = desired["metadata"]["name"]
        raise SpecError(field, f"volume {name} has {there} and can't shrink to {wanted}", f"write at least {there}")


def _differs(desired: Manifest, live: Manifest, path: str) -> bool:
    wanted, there = _get(desired, path), _get(live, path)
    return wanted is not None and there is not None and wanted != there


def _get(manifest: Manifest, path: str) -> Any:
    value: Any = manifest
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
