"""The operator's roles: every right is wanted by somebody, and none is more than that."""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from aistack.controller.rbac import PLURALS, rules, table
from aistack.controller.rights import FIXED, Right, Scope, rights
from aistack.errors import InvalidError
from aistack.objects.manifest import ObjectKind
from aistack.settings import KINDS
from tests.roles import catalog_rights

PACKAGE = Path(__file__).parents[3] / "operator" / "aistack"
MAKES = "create delete get list patch watch"
GRANTED = {
    "configmaps": MAKES,
    "events": "create get list patch watch",
    "persistentvolumeclaims": MAKES,
    "resourcequotas": "list watch",
    "pods": "create delete get list watch",
    "secrets": MAKES,
    "serviceaccounts": MAKES,
    "services": MAKES,
    "aibindings.aistack.dev": "list patch watch",
    "aibindings/status.aistack.dev": "patch",
    "aistacks.aistack.dev": "get list patch watch",
    "aistacks/status.aistack.dev": "patch",
    "deployments.apps": MAKES,
    "horizontalpodautoscalers.autoscaling": "list",
    "statefulsets.apps": "delete get list watch",
    "jobs.batch": "create delete get list watch",
    "httproutes.gateway.networking.k8s.io": MAKES,
    "ingresses.networking.k8s.io": MAKES,
    "networkpolicies.networking.k8s.io": MAKES,
    "rolebindings.rbac.authorization.k8s.io": MAKES,
    "roles.rbac.authorization.k8s.io": MAKES,
}
"""What the operator holds where it serves, as a whole; why is in docs/rights.md."""
WRITES = "create delete patch"
ACCOUNTS = {
    "configmaps": WRITES,
    "events": "get list watch",
    "persistentvolumeclaims": "create delete get patch",
    "pods": "create delete get list watch",
    "secrets": WRITES,
    "serviceaccounts": WRITES,
    "services": WRITES,
    "deployments.apps": WRITES,
    "statefulsets.apps": "delete",
    "jobs.batch": "create delete",
    "httproutes.gateway.networking.k8s.io": WRITES,
    "ingresses.networking.k8s.io": WRITES,
    "networkpolicies.networking.k8s.io": WRITES,
    "rolebindings.rbac.authorization.k8s.io": WRITES,
    "roles.rbac.authorization.k8s.io": WRITES,
}
"""What the account of a stack needs: to make and remove, and what the hub's Role grants. It reads no Secret."""
ROLE = ObjectKind("rbac.authorization.k8s.io/v1", "Role")
ROUTE = ObjectKind("gateway.networking.k8s.io/v1", "HTTPRoute")
"""Watched once a stack has one, as not every cluster knows it."""


def role(**rule: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "labels": {"aistack.dev/component": "hub"}}, "rules": [rule]}


def held(scope: Scope) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for right in catalog_rights():
        if right.scope is scope:
            found.setdefault(f"{right.resource}.{right.group}".rstrip("."), set()).add(right.verb)
    return {name: " ".join(sorted(verbs)) for name, verbs in found.items()}


def test_what_it_may_do_where_it_serves() -> None:
    assert held(Scope.SERVED) == GRANTED


def test_what_it_may_do_elsewhere() -> None:
    assert held(Scope.OWN) == {
        "configmaps": "create delete get list update",
        "leases.coordination.k8s.io": "create get update",
        "secrets": "get",
    }
    assert held(Scope.CLUSTER) == {
        "aicomponents.aistack.dev": "list patch watch",
        "aicomponents/status.aistack.dev": "patch",
        "customresourcedefinitions.apiextensions.k8s.io": "list watch",
    }
    assert held(Scope.ACTING) == {"serviceaccounts": "impersonate"}


def test_what_a_stacks_account_may_do() -> None:
    assert held(Scope.STACK) == ACCOUNTS


def test_a_stacks_account_may_no_more_than_the_operator() -> None:
    for name, verbs in held(Scope.STACK).items():
        assert set(verbs.split()) <= set(GRANTED[name].split()), name


@pytest.mark.parametrize("right", catalog_rights(), ids=lambda r: f"{r.scope}-{r.resource}-{r.verb}-{r.why[:20]}")
def test_every_right_is_one_verb_and_names_who_needs_it(right: Right) -> None:
    assert right.verb in {"get", "list", "watch", "create", "update", "patch", "delete", "impersonate"}
    assert "*" not in right.group + right.resource
    assert _is_told(right.why), f"{right.why!r} names no code of ours"


def _is_told(why: str) -> bool:
    """Whether every part of a reason begins with functions that exist, as module.function or module.Class.method."""
    if why.startswith("granted by a Role of "):
        return True
    names = [name for part in why.split("; ") for name in part.partition(":")[0].split(", ")]
    return all(map(_exists, names))


def _exists(name: str) -> bool:
    module, *path = name.split(".")
    place = next(p for p in ("cluster.", "controller.", "") if (PACKAGE / p.rstrip(".") / f"{module}.py").is_file())
    return callable(reduce(getattr, path, import_module(f"aistack.{place}{module}")))


def test_what_a_role_of_the_catalog_grants_the_operator_holds() -> None:
    hub = role(apiGroups=["example.com"], resources=["jobs", "pods"], verbs=["get", "create"])
    found = {r for r in table({ROLE}, [hub]) if r.group == "example.com"}
    assert {(r.resource, r.verb) for r in found} == {(a, b) for a in ("jobs", "pods") for b in ("get", "create")}
    assert {r.why for r in found} == {"granted by a Role of hub"}


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}, id="all groups"),
        pytest.param({"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}, id="all resources"),
        pytest.param({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}, id="all verbs"),
        pytest.param({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, id="a url"),
        pytest.param(
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": ["a"]}, id="named objects"
        ),
    ],
)
def test_a_role_that_grants_too_much_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(InvalidError, match="a Role of hub: a rule names apiGroups, resources and verbs"):
        table({ROLE}, [role(**rule)])


def test_a_kind_that_is_not_known_is_refused_and_told_where_to_add_it() -> None:
    with pytest.raises(InvalidError, match=r"CronJob.batch/v1 isn't in PLURALS of controller/rbac.py"):
        table({ObjectKind("batch/v1", "CronJob")}, [])


def test_every_kind_that_is_watched_has_its_resource() -> None:
    assert set(PLURALS) == {*KINDS, ROUTE}


def test_resources_with_the_same_verbs_share_a_rule_and_scopes_stay_apart() -> None:
    some = [
        *rights(Scope.SERVED, "", "pods", "get list", "a"),
        *rights(Scope.SERVED, "", "events", "list get", "b"),
        *rights(Scope.OWN, "", "secrets", "get", "c"),
    ]
    assert rules(some, [Scope.SERVED]) == [
        {"apiGroups": [""], "resources": ["events", "pods"], "verbs": ["get", "list"]}
    ]


def test_nothing_lets_it_grant_more_than_it_holds() -> None:
    everything = (*FIXED, *catalog_rights())
    assert not {right.verb for right in everything} & {"escalate", "bind"}
    assert {right.scope for right in everything if right.verb == "impersonate"} == {Scope.ACTING}, "by name alone"
