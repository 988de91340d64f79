"""What came of applying a plan: the only input, besides the plan, that a status may be written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from aistack.errors import AIStackError
from aistack.objects.health import Health
from aistack.objects.manifest import ObjectRef
from aistack.objects.proof import EdgeProof


class Verb(StrEnum):
    """What was done to an object."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"
    REPAIRED = "repaired"
    """Somebody's edit or deletion was undone."""
    RECREATED = "recreated"
    DELETED = "deleted"
    RETAINED = "retained"
    CONTESTED = "contested"
    """Somebody else owns a conflicting field; it was left alone."""
    DRIFTED = "drifted"
    """Somebody edited it, and the policy is to warn only."""


CHANGES = frozenset({Verb.CREATED, Verb.CONFIGURED, Verb.REPAIRED, Verb.RECREATED, Verb.DELETED})
"""What changed the cluster."""


@dataclass(frozen=True)
class ObjectOutcome:
    """What was done to one object, and how it fares."""

    ref: ObjectRef
    verb: Verb
    health: Health
    note: str = ""


class ActionState(StrEnum):
    """Where an action (a claim) stands."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class ActionOutcome:
    """Where one action stands; ``message`` says why it failed, free of secrets."""

    key: str
    state: ActionState
    message: str = ""


@dataclass(frozen=True)
class ProofOutcome:
    """Where the proof of some edges stands."""

    key: str
    edges: Mapping[str, EdgeProof] = field(default_factory=dict)
    """What the last run said of each edge, by the key of its action; empty before the first run."""
    ended: datetime | None = None
    """When the last run ended; None before the first one."""
    token: str = ""
    """The newest token that a run answered."""
    running: bool = False
    stale: bool = False
    """Whether it must run again, as something that it talks to has changed since."""
    trouble: str = ""
    """What keeps its pod from running."""

    @property
    def proven(self) -> bool:
        """Whether the last run proved every edge."""
        return bool(self.edges) and all(edge.ok for edge in self.edges.values())


@dataclass(frozen=True)
class UnitOutcome:
    """What came of one unit.

    ``waiting_for`` names units that must be healthy first; ``errors`` stopped this unit and no other.
    """

    name: str
    objects: tuple[ObjectOutcome, ...] = ()
    actions: tuple[ActionOutcome, ...] = ()
    proofs: tuple[ProofOutcome, ...] = ()
    cleanup: tuple[ActionOutcome, ...] = ()
    waiting_for: tuple[str, ...] = ()
    pod_problems: tuple[str, ...] = ()
    errors: tuple[AIStackError, ...] = ()
    complete: bool = False
    """Every phase was applied and every action succeeded."""
    suspended: bool = False

    @property
    def proven(self) -> bool:
        """Whether the last proof of each edge succeeded."""
        return all(proof.proven for proof in self.proofs)

    @property
    def healthy(self) -> bool:
        """Whether others may build on this unit."""
        return self.complete and all(o.health.current for o in self.objects)


@dataclass(frozen=True)
class Outcome:
    """What came of a whole plan; ``removed`` are objects of units that are no longer planned."""

    units: Mapping[str, UnitOutcome] = field(default_factory=dict)
    removed: tuple[ObjectOutcome, ...] = ()
    errors: tuple[AIStackError, ...] = ()
    retry_after: float = 0.0
    """Seconds after which another pass is due even if nothing changes (a failed action's turn); 0 for none."""

    @property
    def all_errors(self) -> tuple[AIStackError, ...]:
        """Errors of the whole and of every unit."""
        return (*self.errors, *(e for u in self.units.values() for e in u.errors))

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do until the world changes."""
        return not self.errors and all(u.healthy for u in self.units.values())


@dataclass(frozen=True)
class DeletionProgress:
    """How far a deletion has come: empty ``waiting_for`` and no errors means done."""

    waiting_for: tuple[str, ...] = ()
    errors: tuple[AIStackError, ...] = ()
    retry_after: float = 0.0
    """Seconds after which another pass is due even if nothing that is watched changes; 0 for none."""
    left: tuple[str, ...] = ()
    """What stays, as nobody is left who may delete it."""

    @property
    def done(self) -> bool:
        """Whether nothing is left to delete."""
        return not self.waiting_for and not self.errors
