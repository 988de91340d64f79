"""Apps: the user's own consumers of what a stack provides, one for each AIBinding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from aistack.api.binding import AIBinding
from aistack.api.parse import suggest
from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog, Require
from aistack.errors import AIStackError, SpecError
from aistack.objects.manifest import Manifest
from aistack.objects.plan import ApplyObject, Unit
from aistack.planning.bound import Binder, Bound, hardened, labelled
from aistack.planning.claims import revocation
from aistack.planning.external import Outside, outside_of
from aistack.planning.harden import Hardener
from aistack.planning.resolve import Resolved
from aistack.planning.wire import Edge, Inside, providers

PREFIX = "app-"
"""What names of apps start with, so that none is a component's."""


@dataclass(frozen=True)
class App:
    """One AIBinding and what is made of it."""

    binding: AIBinding
    edge: Edge | None = None
    unit: Unit | None = None
    """None if it was refused."""
    secret: str = ""
    """Name of its share's newest Secret; empty if it was refused."""
    refusal: AIStackError | None = None

    @property
    def name(self) -> str:
        """What it is called as a consumer, and its pods' identity."""
        return f"{PREFIX}{self.binding.name}"


def plan_apps(binder: Binder, bindings: Iterable[AIBinding]) -> list[App]:
    """Plan the apps of a stack; what is wrong with one is its own affair and stops nothing else."""
    sources = _sources(binder.stack, binder.resolved)
    return [_app(binder, binding, sources) for binding in sorted(bindings, key=lambda binding: binding.name)]


def _sources(stack: AIStack, resolved: Mapping[str, Resolved]) -> dict[str, Inside | Outside]:
    """Return the provider of each contract for whoever asks: the user's own goes first, if it is for everybody."""
    everybody = {o.external.contract: o for o in outside_of(stack) if o.claimed and not o.external.components}
    return {**providers(resolved), **everybody}


def _app(binder: Binder, binding: AIBinding, sources: Mapping[str, Inside | Outside]) -> App:
    try:
        edge = _edge(binder.catalog, binding, sources)
        bound = binder.bind([edge])
        (share,) = bound.shares.values()
        return App(binding, edge, _unit(binder, binding, bound), share.ref.name)
    except AIStackError as error:
        return App(binding, refusal=_its_own(error))


def _its_own(error: AIStackError) -> AIStackError:
    """Return the error in words about the binding: it is what makes a name longer than those of components."""
    if isinstance(error, SpecError) and error.field == "metadata.name":
        return SpecError(error.field, error.problem, "give the binding a shorter name, or the stack")
    return error


def _edge(catalog: Catalog, binding: AIBinding, sources: Mapping[str, Inside | Outside]) -> Edge:
    contract = binding.spec.contract
    if contract not in catalog.contracts:
        problem = f"no contract is named {contract!r}"
        raise SpecError("spec.contract", problem, suggest(contract, sources or catalog.contracts))
    if contract not in sources:
        offered = ", ".join(sorted(sources)) or "nothing"
        problem = f"nothing in the stack {binding.spec.stack!r} provides {contract!r}"
        raise SpecError("spec.contract", problem, f"enable a component that does; it provides {offered}")
    return Edge(f"{PREFIX}{binding.name}", Require(contract=contract), sources[contract])


def _unit(binder: Binder, binding: AIBinding, bound: Bound) -> Unit:
    """Return the unit that makes and tries the share; of a binding that goes, the one that ends it."""
    (edge,) = bound.edges
    hardener = Hardener(binder.stack, None, binder.images, edge.consumer)
    # The share ends with its binding: nothing that opens data is left of it.
    shares = (replace(share, retain=False) for share in bound.shares.values())
    secrets = labelled(hardener, (*bound.admins, *shares))
    (claim,) = bound.claims
    if binding.deleting:
        revoke = hardened(hardener, revocation(binder.stack.name, claim))
        return Unit(edge.consumer, prepare=(*secrets, *_applied(hardener, claim.config)), actions=(revoke,))
    tried = binder.proofs(bound, {})
    configs = _applied(hardener, claim.config, *(proof.config for proof in tried))
    return Unit(
        edge.consumer,
        prepare=(*secrets, *configs),
        actions=(hardened(hardener, claim.action(blocking=True)),),
        proofs=tuple(hardened(hardener, proof.step(binder.stack, gates=False)) for proof in tried),
        # No cleanup: the app may go on with its former credentials until the next ones are made.
    )


def _applied(hardener: Hardener, *configs: Manifest) -> list[ApplyObject]:
    return [ApplyObject(manifest) for manifest in hardener.harden(configs)]
