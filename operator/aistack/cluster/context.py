"""What one pass over one owner works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aistack.cluster.client import Client
from aistack.cluster.feuds import Feuds
from aistack.cluster.inventory import Inventory
from aistack.cluster.live import Live, to_live
from aistack.cluster.settings import Settings
from aistack.cluster.store import Store
from aistack.cluster.world import World
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.objects.plan import DriftPolicy, Owner

AGAIN = 5.0
"""Seconds until a pass looks again at what no watch tells of."""


@dataclass
class Context:
    """One pass: its owner, what is known, what is remembered, and the means to act."""

    client: Client
    """Looks: as the operator itself, like its watches."""
    actor: Client
    """Writes, and reads what is the user's: as whom the owner's objects are made."""
    settings: Settings
    store: Store
    world: World
    inventory: Inventory
    owner: Owner
    clock: Callable[[], float]
    """Seconds since the epoch."""
    drift: DriftPolicy = DriftPolicy.ENFORCE
    dry_run: bool = False
    """Only ask what would come of the writes."""
    since: float = 0.0
    """When the engine started: what was due before isn't made up for, so that not all of it runs at once."""
    feuds: Feuds = field(default_factory=Feuds)
    """Objects that somebody else changes back each time."""
    busy: set[str] = field(default_factory=set)
    """Values of ``exclusive`` of the actions that run."""
    wakes: list[float] = field(default_factory=list)
    """Delays, in seconds, after which something is due."""

    def learn(self, raw: Manifest, ref: ObjectRef) -> Live:
        """Turn an answer of the API server into knowledge: the read-your-writes barrier."""
        full = ref.kind in self.settings.full_kinds
        live = to_live(raw, ref.object_kind, self.settings.field_manager, full)
        if self.labelled(live):
            self.store.put(live)
        return live

    def labelled(self, live: Live) -> bool:
        """Whether an object says that it is our owner's."""
        return live.labels.get(self.settings.owner_label) == self.owner.name

    def ours(self, live: Live) -> bool:
        """Whether we made an object: our manager wrote it, and its label or our memory says for whom."""
        remembered = self.inventory.get(live.ref).uid == live.uid
        # A label alone doesn't tell apart the owners of cluster-scoped objects: they may have the same name.
        named = self.labelled(live) and live.ref.namespace == self.owner.namespace
        return live.managed and (remembered or named)

    def look_again(self) -> None:
        """Have another pass soon, as no watch tells when what this one met has changed."""
        self.wakes.append(AGAIN)

    def require(self, ref: ObjectRef) -> None:
        """Raise why nothing is known of the object's kind, if so.

        Raises:
            AIStackError: its kind can't be listed.
        """
        problem = self.world.problem(ref.object_kind, self.owner.namespace)
        if problem is not None:
            raise problem

    def signed(self, manifest: Manifest) -> Manifest:
        """Copy a manifest, adding the owner's labels, without which it would never be seen again."""
        metadata = manifest["metadata"]
        return {**manifest, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **self.owner.labels}}}
