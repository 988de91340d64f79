"""Plans: what to write to a cluster, in which order, and what came of it.

A plan is made of **units** (one component each). A unit has five phases: *prepare* (Secrets, volumes, configuration,
services; applied at once), *actions* (Jobs that run once per input, e.g. claims), *proofs* (Jobs that try again and
again what the actions made), *run* (workloads) and *cleanup* (actions once the unit is healthy). An action or a proof
waits until the units that it names in ``after`` are healthy, and an action that is ``late`` until its own unit's
objects are; workloads wait for their unit's ``after``, its blocking actions and its gating proofs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from aistack.objects.manifest import Manifest, ObjectRef, content_hash, ref_of
from aistack.objects.recipes import Recipe, recipe_hash
from aistack.objects.users import UserSecret

OwnerKey = tuple[str, str]
"""Namespace and name of an owner."""


class Strategy(StrEnum):
    """How an object that exists already is brought to its desired state."""

    APPLY = "Apply"
    RECREATE = "Recreate"
    """Delete and create: an immutable field changed and nothing is lost."""
    RECREATE_ORPHAN = "RecreateOrphan"
    """As RECREATE, but dependents (pods) stay and are adopted."""


@dataclass(frozen=True)
class ApplyObject:
    """One object to server-side apply.

    ``retain`` marks data that ``deletionPolicy: Retain`` keeps.
    """

    manifest: Manifest
    strategy: Strategy = Strategy.APPLY
    retain: bool = False

    @cached_property
    def ref(self) -> ObjectRef:
        """Which object this is."""
        return ref_of(self.manifest)

    @cached_property
    def desired_hash(self) -> str:
        """Hash of all that we want of the object."""
        return content_hash(self.manifest)


@dataclass(frozen=True)
class CreateSecret:
    """One immutable, create-only Secret named ``<base>-<generation>``, made from recipes.

    ``manifest`` is the Secret without ``data``. A new generation is made when the recipes change or the Secret was
    lost; the old one goes once nothing uses it.
    """

    base: str
    generation: int
    manifest: Manifest
    recipes: Mapping[str, Recipe]
    retain: bool = True
    token: str = ""
    """The request for new values that this generation answers; empty for none."""

    @cached_property
    def ref(self) -> ObjectRef:
        """Which Secret this is."""
        return ref_of(self.manifest)

    @cached_property
    def desired_hash(self) -> str:
        """Hash of the recipes (never of values)."""
        return recipe_hash(self.recipes)


@dataclass(frozen=True)
class RunAction:
    """A Job that must have succeeded once for this input; ``key`` names the purpose, e.g. ``mlflow/postgres``.

    The Job's name holds the hash of its input, so a changed input is another Job; a Job is never patched. Finished
    Jobs may vanish: that they succeeded is remembered in the inventory.
    """

    key: str
    manifest: Manifest
    after: tuple[str, ...] = ()
    """Units that must be healthy before the Job starts."""
    blocking: bool = True
    """Whether the unit's workloads wait until it succeeded; the unit is complete only when it did, in any case."""
    exclusive: str = ""
    """Actions of one owner with the same value here, unless it is empty, never run at the same time."""
    follows: tuple[ObjectRef, ...] = ()
    """Jobs of other actions of the unit that must have succeeded before this one starts."""
    late: bool = False
    """Whether it starts once the unit's own objects are healthy; nothing of the unit waits for it then."""

    @cached_property
    def ref(self) -> ObjectRef:
        """Which Job this is."""
        return ref_of(self.manifest)


@dataclass(frozen=True)
class RunProof:
    """A Job that tries edges by real work: after every change of its input, when it is asked for, and every so often.

    The Job's name holds the hash of its input. Its pod says what came of each edge in the termination message of its
    first container (:mod:`aistack.objects.proof`); that, and not the Job's end, ends a run.
    """

    key: str
    """Names the purpose within the owner, e.g. ``mlflow``."""
    manifest: Manifest
    edges: tuple[str, ...]
    """Keys of the actions whose result it tries; the last part of each is the edge's name in the Job's report."""
    after: tuple[str, ...] = ()
    """Units that must be healthy before the Job starts: those that it talks to."""
    every: int = 0
    """Seconds from one run to the next; 0 for none."""
    on_change: bool = True
    """Whether it runs when its input changed, or what it talks to was away; else only when it is asked for."""
    token: str = ""
    """Asks for a run now, each time that it is another one."""
    gates: bool = False
    """Whether changed workloads of the unit wait until it succeeded once with this input."""

    @cached_property
    def ref(self) -> ObjectRef:
        """Which Job this is."""
        return ref_of(self.manifest)


@dataclass(frozen=True)
class Unit:
    """All of one component, in its phases."""

    name: str
    after: tuple[str, ...] = ()
    prepare: tuple[ApplyObject | CreateSecret, ...] = ()
    actions: tuple[RunAction, ...] = ()
    proofs: tuple[RunProof, ...] = ()
    run: tuple[ApplyObject, ...] = ()
    cleanup: tuple[RunAction, ...] = ()
    """Actions that end what was replaced, once the unit is healthy and proven without it."""
    suspended: bool = False
    """Nothing of a suspended unit is written or deleted; its health is still reported."""

    def objects(self) -> Iterator[ApplyObject | CreateSecret]:
        """Yield every desired object, in phase order (Jobs are not desired objects)."""
        yield from self.prepare
        yield from self.run

    def jobs(self) -> Iterator[RunAction | RunProof]:
        """Yield everything that is done by a Job."""
        yield from self.actions
        yield from self.proofs
        yield from self.cleanup


class DriftPolicy(StrEnum):
    """What to do about edits by others to fields that we own."""

    ENFORCE = "Enforce"
    WARN = "Warn"


@dataclass(frozen=True)
class Plan:
    """The whole desired state of one owner; waves hold units that may be applied together, in order."""

    waves: tuple[tuple[Unit, ...], ...] = ()
    drift: DriftPolicy = DriftPolicy.ENFORCE
    retain_data: bool = True
    """Whether pruned units keep their data (PersistentVolumeClaims, generated Secrets)."""
    leaving: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Units that are no longer planned and stay until others, named here, are healthy without them."""

    @property
    def units(self) -> tuple[Unit, ...]:
        """Every unit, in wave order."""
        return tuple(unit for wave in self.waves for unit in wave)

    def refs(self) -> frozenset[ObjectRef]:
        """Return every desired object's reference."""
        return frozenset(step.ref for unit in self.units for step in unit.objects())


@dataclass(frozen=True)
class Owner:
    """Whose objects these are: the owning object and the labels that all of its objects carry."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    """ServiceAccount of its namespace as whom its objects are made; empty for whoever is logged in."""

    @property
    def key(self) -> OwnerKey:
        """Namespace and name."""
        return self.namespace, self.name


@dataclass(frozen=True)
class SecretRecord:
    """What is known of the newest generation of a generated Secret."""

    generation: int
    recipe_hash: str
    present: bool
    token: str = ""
    """The request for new values that it answers."""


@dataclass(frozen=True)
class Observed:
    """The part of the world that planning looks at.

    ``objects`` are the owner's live objects (``managedFields`` and Secrets' data stripped).
    """

    objects: Mapping[ObjectRef, Manifest] = field(default_factory=dict)
    secrets: Mapping[str, SecretRecord] = field(default_factory=dict)
    users: Mapping[str, UserSecret] | None = None
    """Secrets of the user's that the stack refers to, by name, those that exist; None where no cluster was asked."""
