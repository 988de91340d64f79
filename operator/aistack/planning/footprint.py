"""Footprint: what a plan asks of a cluster, before it is applied."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from aistack.api.status import Footprint
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject, Plan
from aistack.objects.quantity import format_bytes, format_cpu, parse_quantity
from aistack.planning.pods import pod_template
from aistack.planning.resolve import Resolved

Requests = tuple[Decimal, Decimal, int]
"""Cores, bytes of memory, and pods."""


def footprint(plan: Plan, resolved: Collection[Resolved]) -> Footprint:
    """Sum the requests and volumes of a plan's pods and of the pods that its tools are expected to spawn."""
    manifests = [s.manifest for u in plan.units for s in u.objects() if isinstance(s, ApplyObject)]
    requests = [*(_workload(m) for m in manifests), *(_spawned(r) for r in resolved)]
    volumes = [*(_volume(m) for m in manifests), *(_spawned_volumes(r) for r in resolved)]
    return Footprint(
        cpu=format_cpu(sum((r[0] for r in requests), Decimal(0))),
        memory=format_bytes(sum((r[1] for r in requests), Decimal(0))),
        storage=format_bytes(sum(volumes, Decimal(0))),
        pods=sum(r[2] for r in requests),
    )


def _workload(manifest: Manifest) -> Requests:
    if manifest["kind"] not in ("Deployment", "StatefulSet"):
        return Decimal(0), Decimal(0), 0
    replicas = manifest["spec"].get("replicas", 1)
    template = pod_template(manifest) or {"spec": {"containers": []}}
    cpu, memory = _pod(template["spec"])
    return cpu * replicas, memory * replicas, replicas


def _pod(spec: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """Return a pod's effective requests: all containers together, or its largest init container."""
    together = [_container(c) for c in spec["containers"]]
    initial = [_container(c) for c in spec.get("initContainers", [])]
    cpu = max([sum((c for c, _ in together), Decimal(0)), *(c for c, _ in initial)])
    memory = max([sum((m for _, m in together), Decimal(0)), *(m for _, m in initial)])
    return cpu, memory


def _container(container: dict[str, Any]) -> tuple[Decimal, Decimal]:
    requests = container.get("resources", {}).get("requests", {})
    return parse_quantity(requests.get("cpu", "0")), parse_quantity(requests.get("memory", "0"))


def _spawned(r: Resolved) -> Requests:
    cpu, memory, pods = Decimal(0), Decimal(0), 0
    for workload in r.component.spec.workloads.values():
        if workload.spawned:
            sized = workload.sizes[r.size]
            cpu += parse_quantity(sized.cpu) * workload.footprint
            memory += parse_quantity(sized.memory) * workload.footprint
            pods += workload.footprint
    return cpu, memory, pods


def _spawned_volumes(r: Resolved) -> Decimal:
    spec, total = r.component.spec, Decimal(0)
    for workload in spec.workloads.values():
        for name, value in workload.volumes.items():
            total += parse_quantity(r.values.get(value) or spec.storage[name][r.size]) * workload.footprint
    return total


def _volume(manifest: Manifest) -> Decimal:
    if manifest["kind"] != "PersistentVolumeClaim":
        return Decimal(0)
    return parse_quantity(manifest["spec"]["resources"]["requests"]["storage"])
