"""The inventory of one owner, in memory: what the engine made, or is about to make, for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from aistack.cluster.live import Live
from aistack.cluster.records import Record, Records
from aistack.cluster.settings import JOB, POD, SECRET, WORKLOADS, Settings
from aistack.objects.manifest import ObjectRef
from aistack.objects.plan import ApplyObject, CreateSecret, Owner, Plan, RunAction, RunProof, SecretRecord, Unit

PHASES = 3
PREPARE, ACTIONS, RUN = range(PHASES)
NOTHING = Record()
"""What is remembered of an object that isn't remembered."""


class Inventory:
    """The records of one owner; ``stored`` is False while the cluster has none."""

    def __init__(self, records: Records | None = None, stored: bool = False) -> None:
        self.records: Records = records or {}
        self.stored = stored

    def get(self, ref: ObjectRef) -> Record:
        """Return the record of an object, an empty one if there is none."""
        return self.records.get(ref, NOTHING)

    def update(self, ref: ObjectRef, **changes: Any) -> None:
        """Change fields of a record."""
        record = self.get(ref)
        if ref not in self.records or any(getattr(record, name) != value for name, value in changes.items()):
            self.records[ref] = replace(record, **changes)

    def drop(self, ref: ObjectRef) -> None:
        """Forget an object."""
        self.records.pop(ref, None)

    def intend(self, plan: Plan) -> None:
        """Note all that the plan wants, before any of it is made."""
        for wave, units in enumerate(plan.waves):
            for unit in (u for u in units if not u.suspended):
                for phase, step in _steps(unit):
                    self.update(step.ref, unit=unit.name, order=wave * PHASES + phase, **_intention(step))

    def secrets(self, live: Iterable[Live]) -> Iterator[tuple[str, SecretRecord]]:
        """Yield the newest generation of each generated Secret that was ever seen to exist."""
        present = {item.ref for item in live}
        newest: dict[str, tuple[int, ObjectRef]] = {}
        for ref, record in self.records.items():
            if record.base and (record.exists or ref in present):
                newest[record.base] = max(newest.get(record.base, (0, ref)), (record.generation, ref))
        for base, (generation, ref) in newest.items():
            record = self.records[ref]
            yield base, SecretRecord(generation, record.desired, ref in present, record.token)

    def identify(self, owner: Owner, live: Iterable[Live], settings: Settings) -> None:
        """Make records anew for objects that carry the owner's labels and our manager: the inventory was lost."""
        for item in live:
            ours = item.managed and item.labels.get(settings.owner_label) == owner.name
            if item.ref not in self.records and ours and item.ref.object_kind != POD:
                self.records[item.ref] = _identified(item, settings)


def _steps(unit: Unit) -> Iterator[tuple[int, ApplyObject | CreateSecret | RunAction | RunProof]]:
    yield from ((PREPARE, step) for step in unit.prepare)
    yield from ((ACTIONS, step) for step in unit.jobs())
    yield from ((RUN, step) for step in unit.run)


def _intention(step: ApplyObject | CreateSecret | RunAction | RunProof) -> dict[str, Any]:
    match step:
        case ApplyObject():
            return {"retain": step.retain}
        case CreateSecret():
            # The recipes' hash never changes for a generation, so it may be noted before the Secret exists.
            known = {
                "base": step.base,
                "generation": step.generation,
                "desired": step.desired_hash,
                "token": step.token,
            }
            return {"retain": step.retain, **known}
        case RunAction():
            return {"action": step.key, "exclusive": step.exclusive}
        case RunProof():
            return {"action": step.key}


def _identified(live: Live, settings: Settings) -> Record:
    common = Record(live.labels.get(settings.unit_label, ""), uid=live.uid, kept=settings.retained_label in live.labels)
    if live.ref.object_kind == SECRET:
        base, _, generation = live.ref.name.rpartition("-")
        recipes = live.manifest["metadata"].get("annotations", {}).get(settings.recipe_annotation, "")
        made = bool(recipes) and generation.isdecimal()
        secret = {"base": base, "generation": int(generation), "desired": recipes} if made else {}
        return replace(common, retain=True, **secret)
    if live.ref.object_kind == JOB:
        return replace(common, order=ACTIONS, action=live.ref.name)
    order = RUN if live.ref.kind in WORKLOADS else PREPARE
    return replace(common, order=order, retain=live.ref.kind == "PersistentVolumeClaim")
