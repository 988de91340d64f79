"""The operator's roles, made from its own rights and from what the catalog makes; the chart carries them. Pure.

No wildcards. Nobody may grant what he doesn't hold, so the operator also holds the rights that the catalog's own Roles
grant (what a spawner may do), rather than ``escalate`` or ``bind``, which would let it grant anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from aistack.api.labels import COMPONENT
from aistack.controller.rights import FIXED, JOB_WHYS, KIND_WHYS, LOOKS, SECRET_WHYS, Right, Scope, Whys, rights
from aistack.errors import InvalidError
from aistack.objects.manifest import Manifest, ObjectKind
from aistack.settings import KINDS

PLURALS: Mapping[ObjectKind, str] = {
    ObjectKind("apps/v1", "Deployment"): "deployments",
    ObjectKind("apps/v1", "StatefulSet"): "statefulsets",
    ObjectKind("batch/v1", "Job"): "jobs",
    ObjectKind("v1", "Service"): "services",
    ObjectKind("v1", "ConfigMap"): "configmaps",
    ObjectKind("v1", "Secret"): "secrets",
    ObjectKind("v1", "PersistentVolumeClaim"): "persistentvolumeclaims",
    ObjectKind("v1", "ServiceAccount"): "serviceaccounts",
    ObjectKind("rbac.authorization.k8s.io/v1", "Role"): "roles",
    ObjectKind("rbac.authorization.k8s.io/v1", "RoleBinding"): "rolebindings",
    ObjectKind("networking.k8s.io/v1", "NetworkPolicy"): "networkpolicies",
    ObjectKind("networking.k8s.io/v1", "Ingress"): "ingresses",
    ObjectKind("gateway.networking.k8s.io/v1", "HTTPRoute"): "httproutes",
}
"""Resources of the kinds that components are made of, as the API server spells them."""
_MAKING = ("create", "create patch", "patch")


def table(made: Iterable[ObjectKind], roles: Iterable[Manifest]) -> tuple[Right, ...]:
    """Return every right, sorted; one that several need is there once for each reason.

    Args:
        made: kinds that the catalog's components make.
        roles: Roles among what they make.

    Raises:
        InvalidError: a kind isn't known, or a Role grants too much.
    """
    return tuple(sorted({*FIXED, *_of_kinds(frozenset(made)), *_granted(roles)}))


def rules(wanted: Iterable[Right], scopes: Collection[Scope]) -> list[dict[str, Any]]:
    """Return the rights of some scopes as a Role's rules: resources of one group that take the same verbs share one."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for right in wanted:
        if right.scope in scopes:
            verbs.setdefault((right.group, right.resource), set()).add(right.verb)
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), found in sorted(verbs.items()):
        shared.setdefault((group, tuple(sorted(found))), []).append(resource)
    return [{"apiGroups": [group], "resources": names, "verbs": list(may)} for (group, may), names in shared.items()]


def _of_kinds(made: Collection[ObjectKind]) -> Iterator[Right]:
    """Yield what it takes to make, follow and remove these kinds, and to follow and remove those of older catalogs."""
    for kind in sorted({*made, *KINDS}):
        if kind not in PLURALS:
            raise InvalidError(f"{kind} isn't in PLURALS of controller/rbac.py: add it, and to KINDS of settings.py")
        group = kind.api_version.rpartition("/")[0]
        for verbs, why in _whys(kind).items():
            if kind in made or verbs not in _MAKING:
                yield from rights(Scope.SERVED, group, PLURALS[kind], verbs, why)
                if verbs not in LOOKS:
                    yield from rights(Scope.STACK, group, PLURALS[kind], verbs, why)


def _whys(kind: ObjectKind) -> Whys:
    return {"Job": JOB_WHYS, "Secret": SECRET_WHYS}.get(kind.kind, KIND_WHYS)


def _granted(roles: Iterable[Manifest]) -> Iterator[Right]:
    """Yield what the catalog's Roles grant."""
    for role in roles:
        of = str(role["metadata"]["labels"][COMPONENT])
        for rule in role.get("rules") or ():
            _check(of, rule)
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    verbs, why = " ".join(rule["verbs"]), f"granted by a Role of {of}"
                    yield from rights(Scope.SERVED, group, resource, verbs, why)
                    yield from rights(Scope.STACK, group, resource, verbs, why)


def _check(component: str, rule: Mapping[str, Any]) -> None:
    """Refuse a rule that the operator's role can't or shouldn't hold as it is."""
    named = {"apiGroups", "resources", "verbs"}
    if set(rule) != named or any("*" in rule[name] for name in named):
        raise InvalidError(
            f"a Role of {component}: a rule names apiGroups, resources and verbs, none of them '*'; not {dict(rule)}"
        )
