"""Labels: the one place where objects' labels are built."""

from __future__ import annotations

from collections.abc import Mapping

from aistack.api.group import FIELD_MANAGER, GROUP

STACK = f"{GROUP}/stack"
COMPONENT = f"{GROUP}/component"
IDENTITY = f"{GROUP}/identity"
SERVING = f"{GROUP}/serving"
ROLE = f"{GROUP}/role"
RETAINED_FROM = f"{GROUP}/retained-from"
EDGE = f"{GROUP}/edge"
VERSION = "app.kubernetes.io/version"
SPAWNED = f"{GROUP}/spawned"
"""Marks what a tool makes itself, e.g. notebook pods: it goes with its component though no plan names it."""


def selector(labels: Mapping[str, str]) -> str:
    """Write labels as the API server and kubectl take a selector."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def stack_labels(stack: str) -> dict[str, str]:
    """Labels that every object of a stack carries; also the selector that finds them."""
    return {STACK: stack, "app.kubernetes.io/managed-by": FIELD_MANAGER}


def component_labels(stack: str, component: str, version: str = "") -> dict[str, str]:
    """Labels of an object of one component."""
    recommended = {"app.kubernetes.io/name": component, "app.kubernetes.io/instance": f"{stack}-{component}"}
    if version:
        recommended[VERSION] = version
    return {**stack_labels(stack), **recommended, "app.kubernetes.io/part-of": stack, COMPONENT: component}


def identity_labels(stack: str, identity: str) -> dict[str, str]:
    """Labels by which NetworkPolicies know a pod: whose connections it may use."""
    return {STACK: stack, IDENTITY: identity}


def role_identity(component: str, role: str) -> str:
    """Identity of pods that a component's tool spawns; the dot keeps it apart from every component's name."""
    return f"{component}.{role}"


def selector_labels(stack: str, component: str, role: str) -> dict[str, str]:
    """Labels that select the serving pods of one workload of a component; never changed once released."""
    return {**identity_labels(stack, component), SERVING: "true", ROLE: role}
