"""Peers: how NetworkPolicies name the pods of a stack."""

from __future__ import annotations

from typing import Any

from aistack.api.labels import COMPONENT, ROLE, STACK, selector_labels
from aistack.planning.resolve import Resolved


def pods(labels: dict[str, str]) -> dict[str, Any]:
    """Return what selects pods by their labels."""
    return {"podSelector": {"matchLabels": labels}}


def workload_pods(stack: str, component: str, role: str) -> dict[str, Any]:
    """Return what selects a workload's pods, whether a template makes them or a tool spawns them."""
    return pods({STACK: stack, COMPONENT: component, ROLE: role})


def target_pods(stack: str, r: Resolved, role: str) -> dict[str, Any]:
    """Return what selects a workload's pods as the target of others' connections.

    Where a Service stands before them it is exactly the Service's selector: the network plugin of EKS lets a connection
    to a Service through only if the labels of the peer are among those.
    """
    if r.component.spec.workloads[role].spawned:
        return workload_pods(stack, r.name, role)
    return pods(selector_labels(stack, r.name, role))
