"""The ServiceAccount that a stack's requests are sent as, and what mends a right that it lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aistack.cluster.replies import Reply

IMPERSONATE = "impersonate"
_LACKS = re.compile(r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"')


@dataclass(frozen=True)
class Account:
    """One ServiceAccount; ``role`` is kubectl's option that names the role with all that stacks need."""

    namespace: str
    name: str
    role: str

    @property
    def user(self) -> str:
        """Its name as RBAC knows it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    def __str__(self) -> str:
        return f"ServiceAccount {self.namespace}/{self.name}"

    def remedy(self, refusal: Reply) -> str:
        """Say who lacks which right, and how it is granted."""
        found = _LACKS.search(refusal.message)
        verb, resource = found.group("verb", "resource") if found else ("", "")
        if verb == IMPERSONATE:
            return (
                f"the operator may not act as {self}; whoever installed it names it in the chart's value "
                "allowedServiceAccounts (or defaultServiceAccount)"
            )
        named = str((refusal.body.get("details") or {}).get("name") or "")
        if (verb, resource) == ("get", "secrets") and named:
            return f"{self} may not read it; let it: {self._reading(named)}"
        lack = f"may not {verb} {resource}" if found else "holds less than it would grant"
        return f"{self} {lack}; {self._bound(self.name, self.role)}"

    def _bound(self, binding: str, role: str) -> str:
        account = f"--serviceaccount={self.namespace}:{self.name}"
        return f"kubectl -n {self.namespace} create rolebinding {binding} {role} {account}"

    def _reading(self, secret: str) -> str:
        """Write the commands that let it read one Secret, and no other."""
        name = f"{self.name}-reads-{secret}"
        role = f"kubectl -n {self.namespace} create role {name} --verb=get --resource=secrets --resource-name={secret}"
        return f"{role}; {self._bound(name, f'--role={name}')}"
