"""What is known of the cluster: the newest state of every watched object, never an older one.

Watches and the engine's own writes both feed it, and the higher resourceVersion wins. That is the read-your-writes
barrier: a pass can't judge an object by a state older than its own last write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from aistack.cluster.live import Live
from aistack.objects.manifest import ObjectKind, ObjectRef
from aistack.objects.plan import OwnerKey

OnChange = Callable[[OwnerKey], None]


class Store:
    """Live objects by kind and by owner.

    Args:
        owner_label: label whose value is the owner's name.
        on_change: called with an owner's namespace and name when something of it changed in a way that matters.
    """

    def __init__(self, owner_label: str, on_change: OnChange) -> None:
        self._owner_label = owner_label
        self._on_change = on_change
        self._by_kind: dict[ObjectKind, dict[ObjectRef, Live]] = defaultdict(dict)
        self._by_owner: dict[OwnerKey, dict[ObjectRef, Live]] = defaultdict(dict)
        self._passed: dict[tuple[ObjectKind, str], int] = {}

    def get(self, ref: ObjectRef) -> Live | None:
        """Return an object, or None when it doesn't exist or doesn't carry the owner label."""
        return self._by_kind[ref.object_kind].get(ref)

    def sizes(self) -> dict[str, int]:
        """Return how many objects there are of each kind."""
        return {kind.kind: len(lives) for kind, lives in self._by_kind.items()}

    def of(self, owner: OwnerKey) -> list[Live]:
        """Return all objects of an owner, sorted by reference."""
        return sorted(self._by_owner.get(owner, {}).values(), key=lambda live: live.ref)

    def put(self, live: Live) -> None:
        """Remember a state that our own request returned, unless a newer one is known.

        The answer may come later than the watch's news. An object that a watch is past and that isn't here was deleted
        meanwhile: remembering it would bring it back for ever.
        """
        known = self.get(live.ref)
        newest = known.version if known else self._passed_by(live.ref) + 1
        if newest <= live.version:
            self._keep(live)

    def passed(self, kind: ObjectKind, namespace: str, version: int) -> None:
        """Note that all of a kind is known up to ``version``; ``namespace`` is empty for all of them."""
        self._passed[kind, namespace] = version

    def see(self, live: Live) -> None:
        """Remember a state that a watch reported, and tell if it matters."""
        known = self.get(live.ref)
        if known is not None and known.version >= live.version:
            return
        self._keep(live)
        if known is None or _matters(known, live):
            self._tell(live)

    def gone(self, ref: ObjectRef, version: int) -> None:
        """Forget an object that was deleted at ``version``, unless it was made again since."""
        known = self.get(ref)
        if known is not None and known.version <= version:
            self._drop(known)
            self._tell(known)

    def replace(self, kind: ObjectKind, namespace: str, lives: Iterable[Live], version: int) -> None:
        """Take a complete list as of ``version``; what is missing from it was deleted."""
        listed = set()
        for live in lives:
            listed.add(live.ref)
            self.see(live)
        for ref in [r for r in self._by_kind[kind] if r not in listed and namespace in ("", r.namespace)]:
            self.gone(ref, version)
        self.passed(kind, namespace, version)

    def forget(self, ref: ObjectRef) -> None:
        """Forget an object that our own request deleted."""
        known = self.get(ref)
        if known is not None:
            self._drop(known)

    def _passed_by(self, ref: ObjectRef) -> int:
        return max(self._passed.get((ref.object_kind, namespace), 0) for namespace in ("", ref.namespace))

    def _keep(self, live: Live) -> None:
        known = self.get(live.ref)
        if known is not None:
            self._drop(known)
        self._by_kind[live.ref.object_kind][live.ref] = live
        self._by_owner[self._owner(live)][live.ref] = live

    def _drop(self, live: Live) -> None:
        self._by_kind[live.ref.object_kind].pop(live.ref, None)
        owner = self._owner(live)
        self._by_owner[owner].pop(live.ref, None)
        if not self._by_owner[owner]:
            del self._by_owner[owner]

    def _owner(self, live: Live) -> OwnerKey:
        return live.ref.namespace, live.labels.get(self._owner_label, "")

    def _tell(self, live: Live) -> None:
        self._on_change(self._owner(live))


def _matters(before: Live, after: Live) -> bool:
    """Whether a pass could come to another result: status counters alone don't matter."""
    return (
        before.owned != after.owned
        or before.uid != after.uid
        or before.labels != after.labels
        or before.health != after.health
        or before.problems != after.problems
    )
