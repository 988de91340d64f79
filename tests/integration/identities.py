"""Who asks the API server in tests of rights: the operator with its generated roles, a tenant, a stack's account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aistack.api.group import FIELD_MANAGER, GROUP
from aistack.cluster.client import Client
from aistack.cluster.transport import Call
from aistack.controller.rbac import rules
from aistack.controller.rights import Scope
from aistack.objects.manifest import Manifest
from tests.integration.cluster.lab import Lab
from tests.integration.stacklab import StackLab
from tests.roles import catalog_rights

RBAC = "rbac.authorization.k8s.io/v1"
ACCOUNT = "aistack"
"""The ServiceAccount that stacks of these tests have, where they name none."""
Rule = dict[str, Any]


def account_rules() -> list[Rule]:
    """Return what the role ``aistack-stack`` grants."""
    return rules(catalog_rights(), [Scope.STACK])


def without(held: Iterable[Rule], resource: str) -> list[Rule]:
    """Return rules that don't grant anything on a resource."""
    kept = [{**rule, "resources": [name for name in rule["resources"] if name != resource]} for rule in held]
    return [rule for rule in kept if rule["resources"]]


async def grant(lab: Lab | StackLab, namespace: str, name: str, held: list[Rule], subject: Mapping[str, str]) -> None:
    """Make a Role, or a ClusterRole where no namespace is given, and bind it; one that is there is changed."""
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    role: Manifest = {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": held}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    binding = {"apiVersion": RBAC, "kind": f"{kind}Binding", "metadata": metadata, "roleRef": ref}
    for manifest in (role, {**binding, "subjects": [dict(subject)]}):
        (await lab.client.apply(manifest, force=True)).result()


def user(name: str) -> dict[str, str]:
    """Return a user as the subject of a binding."""
    return {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def account(namespace: str, name: str) -> dict[str, str]:
    """Return a ServiceAccount as the subject of a binding."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


async def make_account(lab: StackLab, name: str = ACCOUNT, held: list[Rule] | None = None, namespace: str = "") -> None:
    """Make a ServiceAccount in the lab's namespace, or another one, with these rights in it."""
    where = namespace or lab.namespace
    metadata = {"name": name, "namespace": where}
    (await lab.client.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})).result()
    await grant(lab, where, f"{name}-rights", account_rules() if held is None else held, account(where, name))


@dataclass
class Operator:
    """The operator's identity, its rights, and how the API server answered it.

    Args:
        lab: its stack.
        served: the namespaces that it serves; none means all.
        accounts: the ServiceAccounts that it may act as.
    """

    lab: StackLab
    served: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    calls: list[Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name as RBAC knows it."""
        return f"system:serviceaccount:{self.lab.system}:operator"

    async def grant(self) -> None:
        """Make the roles as the chart does, and bind them."""
        everywhere = () if self.served else (Scope.CLUSTER,)
        await grant(self.lab, self.lab.system, "inventories", rules(catalog_rights(), [Scope.OWN]), user(self.name))
        acting = [{**rule, "resourceNames": list(self.accounts)} for rule in rules(catalog_rights(), [Scope.ACTING])]
        for namespace in self.served or ("",):
            held = rules(catalog_rights(), [Scope.SERVED, *everywhere]) + (acting if self.accounts else [])
            await grant(self.lab, namespace, f"{self.lab.namespace}-operator", held, user(self.name))

    async def connect(self) -> Client:
        """Log in as it."""
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{self.lab.system}"]
        client = await Client.connect(FIELD_MANAGER, str(self.lab.cluster.kubeconfig_for(self.name, groups)))
        client.hooks.append(self.note)
        return client

    def note(self, call: Call) -> None:
        """Count an answer."""
        self.answers[call.verb, call.kind, call.status] += 1
        if call.status:
            self.calls.append(call)

    @property
    def refused(self) -> list[tuple[str, str, int]]:
        """What it asked for without the right to."""
        return [answer for answer in self.answers if answer[2] in (401, 403)]

    def did(self, verb: str, kind: str) -> bool:
        """Whether it had a good answer to such a request."""
        return any(answer[:2] == (verb, kind) and answer[2] in (200, 201) for answer in self.answers)


async def tenant(lab: StackLab) -> Client:
    """Log in as somebody with every right on AIStacks and AIBindings of one namespace, and no other right at all."""
    name = f"tenant-of-{lab.namespace}"
    verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    mine = {"apiGroups": [GROUP], "resources": ["aistacks", "aibindings"], "verbs": verbs}
    await grant(lab, lab.namespace, name, [mine], user(name))
    return await Client.connect("kubectl", str(lab.cluster.kubeconfig_for(name)))
