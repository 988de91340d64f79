"""What the operator may do, whatever is in the catalog: each right with the code that needs it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aistack.api.group import GROUP, PLURAL


class Scope(StrEnum):
    """Where a right is needed."""

    SERVED = "served"
    """In the namespaces whose stacks are served."""
    OWN = "own"
    """In the operator's own namespace."""
    CLUSTER = "cluster"
    """On objects without a namespace, where all namespaces are served."""
    ACTING = "acting"
    """In the namespaces that are served, on the ServiceAccounts that stacks may have."""
    STACK = "stack"
    """Of the ServiceAccount of a stack, in the stack's namespace."""


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource, and the code that needs it."""

    scope: Scope
    group: str
    resource: str
    verb: str
    why: str


def rights(scope: Scope, group: str, resource: str, verbs: str, why: str) -> tuple[Right, ...]:
    """Return the rights to some verbs, parted by spaces."""
    return tuple(Right(scope, group, resource, verb, why) for verb in verbs.split())


RBAC_GROUP = "rbac.authorization.k8s.io"

Whys = Mapping[str, str]
"""Code that needs some verbs, by these verbs."""
LOOKS = ("get", "list watch")
"""What the operator does itself where it acts as a stack's account: it watches, and looks past the watch."""

KIND_WHYS: Whys = {
    "list watch": "world.Watching.ensure: sees what became of a stack's objects",
    "get": "apply.fetch: looks past the watch, after a refusal or at what lost its label",
    "create patch": "apply.write: server-side apply, which may create",
    "delete": "remove.delete_live, apply._make_way",
}
"""Of kinds that components are made of."""
JOB_WHYS: Whys = {
    "list watch": "world.Watching.ensure: sees how Jobs end",
    "get": "actions.start, actions.discard, remove._find: looks past the watch",
    "create": "actions.start: claims, proofs and revocations",
    "delete": "actions.discard, actions.run_action, remove.delete_live",
}
"""Of Jobs, which are never patched."""
SECRET_WHYS: Whys = {
    "list watch": "world.Watching.ensure: a stack's Secrets, no values; named.Named.versions: users' own, by name",
    "get": "users.read_secret: what a stack refers to by name",
    "create": "secrets.create_secret: generated ones are created once and never changed",
    "patch": "apply.mark_retained: labels data that outlives its stack",
    "delete": "remove.delete_live: former generations",
}
"""Of Secrets."""

_CRDS = ("apiextensions.k8s.io", "customresourcedefinitions")
FIXED: tuple[Right, ...] = (
    *rights(Scope.SERVED, GROUP, PLURAL, "list watch", "handlers.make_registry: kopf's watch on AIStacks"),
    *rights(Scope.SERVED, GROUP, PLURAL, "get", "passes.Passes._look, pipeline.Pipeline.orphans"),
    *rights(Scope.SERVED, GROUP, PLURAL, "patch", "pipeline.Pipeline._set_finalizers"),
    *rights(Scope.SERVED, GROUP, f"{PLURAL}/status", "patch", "pipeline.Pipeline._report, serving.Serving.claim"),
    *rights(Scope.SERVED, GROUP, "aibindings", "list watch", "shelf.Shelf.start: follows AIBindings"),
    *rights(Scope.SERVED, GROUP, "aibindings", "patch", "sharing.Sharing._set_finalizers"),
    *rights(Scope.SERVED, GROUP, "aibindings/status", "patch", "sharing.Sharing._write"),
    *rights(Scope.CLUSTER, GROUP, "aicomponents", "list watch", "shelf.Shelf.start: follows AIComponents"),
    *rights(Scope.CLUSTER, GROUP, "aicomponents", "patch", "keeper.Keeper._set_finalizers"),
    *rights(Scope.CLUSTER, GROUP, "aicomponents/status", "patch", "keeper.Keeper._write"),
    *rights(Scope.OWN, "", "secrets", "get", "opening.access_of: what opens the registry of an AIComponent"),
    *rights(Scope.SERVED, "", "pods", "list watch", "world.Watching.ensure: why pods don't run, and how Jobs' ended"),
    *rights(Scope.SERVED, "", "pods", "list", "actions.ask_for_pods: what a proof said, past the watch"),
    *rights(Scope.SERVED, "", "pods", "get", "remove.delete_live: looks whose a pod's name is by now"),
    *rights(Scope.SERVED, "", "pods", "delete", "spawned.remove_spawned: notebooks end with their hub"),
    *rights(Scope.STACK, "", "pods", "delete", "spawned.remove_spawned: notebooks end with their hub"),
    *rights(Scope.ACTING, "", "serviceaccounts", "impersonate", "engine.Engine._actor: writes as a stack's account"),
    *rights(
        Scope.SERVED, "", "serviceaccounts", "list watch", "named.Named.versions: whether a stack's account is there"
    ),
    *rights(Scope.SERVED, "", "events", "create get patch", "events.emit: a connection broke or healed"),
    *rights(Scope.SERVED, "", "events", "list", "refusals.refused_pods: why pods may not be made"),
    *rights(Scope.SERVED, "", "resourcequotas", "list watch", "obstacles.Obstacles: goes on once a quota gives way"),
    *rights(Scope.SERVED, RBAC_GROUP, "roles", "list watch", "obstacles.Obstacles: goes on once a right is granted"),
    *rights(
        Scope.SERVED, RBAC_GROUP, "rolebindings", "list watch", "obstacles.Obstacles: goes on once a right is granted"
    ),
    *rights(
        Scope.SERVED,
        "autoscaling",
        "horizontalpodautoscalers",
        "list",
        "autoscaled.is_autoscaled: leaves the number of pods to an autoscaler",
    ),
    *rights(Scope.OWN, "", "configmaps", "get list", "inventories.Inventories.load, cache.Cache.get, store.Store.get"),
    *rights(
        Scope.OWN, "", "configmaps", "create update", "inventories.Inventories.save, cache.Cache.put, store.Store.keep"
    ),
    *rights(Scope.OWN, "", "configmaps", "delete", "inventories.Inventories.save, cache.Cache.forget"),
    *rights(Scope.OWN, "coordination.k8s.io", "leases", "get create update", "lease.Election.run: one replica leads"),
    *rights(Scope.CLUSTER, *_CRDS, "list watch", "handlers.make_registry: sees when AIStacks are served anew"),
)
"""Rights that no catalog changes."""
