"""Bound: what binds one consumer to its providers: shares, the claims that make them, the proofs that try them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog
from aistack.objects.plan import CreateSecret, Observed, RunAction, RunProof
from aistack.planning.claims import Claim, claim
from aistack.planning.external import Outside
from aistack.planning.harden import Hardener
from aistack.planning.images import ImageSource
from aistack.planning.proofs import Proof, proofs
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import SecretPlanner
from aistack.planning.wire import Edge

_Job = TypeVar("_Job", RunAction, RunProof)


@dataclass(frozen=True)
class Bound:
    """One consumer's bindings."""

    edges: Sequence[Edge]
    shares: Mapping[str, CreateSecret]
    """By the edge's name."""
    admins: Sequence[CreateSecret]
    """Admin bindings of providers outside the stack."""
    claims: Sequence[Claim]
    """One for each edge whose share is made at the provider."""


@dataclass(frozen=True)
class Binder:
    """Binds the consumers of one stack."""

    stack: AIStack
    catalog: Catalog
    observed: Observed
    resolved: Mapping[str, Resolved]
    secrets: SecretPlanner
    images: ImageSource

    def bind(self, edges: Sequence[Edge]) -> Bound:
        """Return the bindings of one consumer.

        Raises:
            SpecError: a name is too long, or a user's Secret can't be used.
            AwaitedError: a user's Secret isn't there yet.
        """
        shares = {edge.require.edge: self.secrets.share(edge, self.resolved) for edge in edges}
        claimed = {edge.key: edge for edge in edges if edge.claimed}
        admins = {key: self._admin(edge) for key, edge in claimed.items()}
        claims = [self._claim(edge, shares, admins[key]) for key, edge in claimed.items()]
        outside = [admins[key] for key, edge in claimed.items() if isinstance(edge.source, Outside)]
        return Bound(edges, shares, outside, claims)

    def proofs(self, bound: Bound, accounts: Mapping[str, str]) -> list[Proof]:
        """Return the proofs of one consumer; ``accounts`` are its pods' service accounts by identity."""
        return proofs(self.stack.name, bound.edges, bound.claims, bound.shares, accounts, self.catalog, self.images)

    def _admin(self, edge: Edge) -> CreateSecret:
        if isinstance(edge.source, Outside):
            return self.secrets.outside_admin(edge, edge.source)
        return self.secrets.admin(self.resolved[edge.source.name], edge.source.provide)

    def _claim(self, edge: Edge, shares: Mapping[str, CreateSecret], admin: CreateSecret) -> Claim:
        share = shares[edge.require.edge].ref.name
        return claim(self.stack.name, edge, self.catalog, self.images, admin.ref.name, share, self.observed)


def labelled(hardener: Hardener, secrets: Iterable[CreateSecret]) -> list[CreateSecret]:
    """Return Secrets with the labels of their consumer."""
    return [replace(secret, manifest=hardener.harden([secret.manifest])[0]) for secret in secrets]


def hardened(hardener: Hardener, step: _Job) -> _Job:
    """Return an action or a proof with a hardened Job."""
    return replace(step, manifest=hardener.harden([step.manifest])[0])
