"""Providers of the user's own: which edges they serve, and which components aren't needed any more for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aistack.api.parse import suggest
from aistack.api.spec import Access, AIStack, External
from aistack.catalog.models import Catalog
from aistack.errors import SpecError
from aistack.objects.users import Sought
from aistack.planning.resolve import Resolved

Outsiders = Mapping[tuple[str, str], "Outside"]
"""Providers outside the stack, by consumer and contract."""


@dataclass(frozen=True)
class Outside:
    """A provider outside the stack; ``field`` is where the user wrote it."""

    external: External
    field: str

    @property
    def name(self) -> str:
        """What a status calls it."""
        return f"secret/{self.external.secret_ref.name}"

    @property
    def secret(self) -> str:
        """Name of the user's Secret."""
        return self.external.secret_ref.name

    @property
    def claimed(self) -> bool:
        """Whether each consumer's share is made there; else the Secret is the share."""
        return self.external.access is Access.ADMIN


def outside_of(stack: AIStack) -> list[Outside]:
    """Return what a stack says about providers of the user's own."""
    return [Outside(external, f"spec.external[{i}]") for i, external in enumerate(stack.spec.external)]


def sought(stack: AIStack, catalog: Catalog) -> Sought:
    """Return what planning a stack needs to know of users' Secrets."""
    found: dict[str, dict[str, bool]] = {}
    contracts = [(o.secret, o.external.contract) for o in outside_of(stack)]
    for component in stack.spec.components:
        if component.admin_secret_ref and component.name in catalog.components:
            provides = catalog.components[component.name].spec.provides
            administered = [provide.contract for provide in provides if provide.admin_of is None]
            contracts += [(component.admin_secret_ref.name, contract) for contract in administered]
    for secret, name in contracts:
        keys = catalog.contracts[name].keys if name in catalog.contracts else {}
        found.setdefault(secret, {"type": False}).update({key: spec.secret for key, spec in keys.items()})
    return found


def outsiders(stack: AIStack, catalog: Catalog, resolved: Mapping[str, Resolved]) -> Outsiders:
    """Match the user's own providers with the components that use them.

    Raises:
        SpecError: an unknown contract or component, a provider that nobody needs, two for one edge, or one share for
            two components.
    """
    found: dict[tuple[str, str], Outside] = {}
    for outside in outside_of(stack):
        consumers = _consumers(outside, catalog, resolved)
        if not outside.claimed and len(consumers) > 1:
            problem = f"{' and '.join(consumers)} would share what is one component's"
            remedy = "name one under components, and another Secret for the other, or write access: Admin"
            raise SpecError(f"{outside.field}.access", problem, remedy)
        for consumer in consumers:
            other = found.setdefault((consumer, outside.external.contract), outside)
            if other is not outside:
                problem = f"serves {outside.external.contract} to {consumer}, and so does {other.field}"
                raise SpecError(outside.field, problem, "remove one, or name their components apart")
    return found


def _consumers(outside: Outside, catalog: Catalog, resolved: Mapping[str, Resolved]) -> list[str]:
    contract = outside.external.contract
    if contract not in catalog.contracts:
        problem = f"no contract is named {contract!r}"
        raise SpecError(f"{outside.field}.contract", problem, suggest(contract, catalog.contracts))
    able = [r.name for r in resolved.values() if any(q.contract == contract for q in r.component.spec.requires)]
    for i, name in enumerate(outside.external.components):
        if name not in able:
            problem = f"{name!r} is no component of this stack that needs {contract}"
            raise SpecError(f"{outside.field}.components[{i}]", problem, suggest(name, able) if able else "remove it")
    if not able and not outside.claimed:  # one that makes shares may serve apps of the user's own
        raise SpecError(outside.field, f"no component of this stack needs {contract}", "remove it")
    return [name for name in able if not outside.external.components or name in outside.external.components]


def unneeded(stack: AIStack, resolved: Mapping[str, Resolved], served: Outsiders) -> dict[str, tuple[str, ...]]:
    """Return the components that needn't run, as all that they would provide comes from outside.

    Returns:
        Components by name, with those that used them.
    """
    listed = {component.name for component in stack.spec.components}
    kept, found = dict(resolved), dict[str, tuple[str, ...]]()
    while name := next((n for n in kept if n not in listed and _idle(kept, n, served)), None):
        found[name] = tuple(sorted({user for user, _ in _users(kept, name)}))
        del kept[name]
    return {name: tuple(user for user in users if user in kept) for name, users in found.items()}


def _idle(resolved: Mapping[str, Resolved], name: str, served: Outsiders) -> bool:
    users = list(_users(resolved, name))
    return bool(users) and all(user in served for user in users)


def _users(resolved: Mapping[str, Resolved], name: str) -> Iterator[tuple[str, str]]:
    """Yield who needs what a component provides, and which contract."""
    provided = {provide.contract for provide in resolved[name].component.spec.provides}
    for r in resolved.values():
        yield from ((r.name, q.contract) for q in r.component.spec.requires if q.contract in provided)
