"""The status of an AIComponent, from what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aistack.api.conditions import Reason, merge_conditions
from aistack.api.piece import AIComponent, AIComponentStatus, BroughtComponent
from aistack.catalog.models import Component
from aistack.catalog.pieces import Piece
from aistack.errors import AIStackError
from aistack.planning.verdict import Verdict, cut, refused


@dataclass(frozen=True)
class Standing:
    """How an AIComponent stands: what is in use of it, by whom, and what keeps its spec from being so."""

    piece: Piece | None = None
    users: Sequence[str] = ()
    error: AIStackError | None = None


def summarize_piece(component: AIComponent, standing: Standing, now: datetime) -> AIComponentStatus:
    """Return the status of an AIComponent.

    Args:
        component: it, with its status so far.
        standing: how it stands.
        now: time of the change, for conditions that change.
    """
    verdict = _verdict(component, standing)
    generation = component.metadata.generation
    conditions = merge_conditions(component.status.conditions, verdict.conditions(generation), now)
    return component.status.model_copy(
        update={
            "observed_generation": generation,
            "message": verdict.message,
            "conditions": tuple(sorted(conditions, key=lambda condition: condition.type)),
            "used_by": tuple(standing.users),
            **(_brought(standing.piece) if standing.piece else {}),
        }
    )


def _brought(piece: Piece) -> dict[str, object]:
    components = tuple(
        _told(component, piece.tiers.get(name, "")) for name, component in sorted(piece.components.items())
    )
    return {"artifact": piece.artifact, "components": components, "contracts": tuple(sorted(piece.contracts))}


def _told(component: Component, tier: str) -> BroughtComponent:
    spec = component.spec
    return BroughtComponent(
        name=spec.name,
        version=spec.versions[0],
        about=cut(spec.about),
        provides=tuple(provide.contract for provide in spec.provides),
        requires=tuple(f"{require.contract}{'?' if require.optional else ''}" for require in spec.requires),
        tier=tier,
    )


def _verdict(component: AIComponent, standing: Standing) -> Verdict:
    if component.deleting and standing.users:
        users = ", ".join(standing.users[:5]) + (", ..." if len(standing.users) > 5 else "")
        message = f"can't go while it is used by {users}: take what it brings out of them, or delete them, and it goes"
        return Verdict(False, False, True, Reason.IN_USE, cut(message))
    if standing.error:
        verdict = refused(standing.error)
        if not standing.piece:
            return verdict
        message = cut(f"{verdict.message}; until then {standing.piece.artifact} stays in use")
        return Verdict(False, verdict.reconciling, verdict.stalled, verdict.reason, message)
    parts = ", ".join(sorted(standing.piece.parts)) if standing.piece else "nothing"
    return Verdict(True, False, False, Reason.HEALTHY, f"stacks can use {parts}")
