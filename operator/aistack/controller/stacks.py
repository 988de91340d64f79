"""The AIStacks as last seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from aistack.objects.manifest import Manifest

StackKey = tuple[str, str]
"""Namespace and name."""


@dataclass
class Stacks:
    """The AIStacks as last seen, from the watch or from the answers to our own writes; never older ones."""

    _live: dict[StackKey, Manifest] = field(default_factory=dict)

    def see(self, stack: Manifest) -> bool:
        """Take note of a stack; tells whether it is news."""
        key = key_of(stack)
        known = self._live.get(key)
        if known is not None and _version(known) >= _version(stack):
            return False
        # Who wrote which field is half of an AIStack, and nobody asks for it here.
        metadata = {name: value for name, value in stack["metadata"].items() if name != "managedFields"}
        self._live[key] = {**stack, "metadata": metadata}
        return True

    def forget(self, stack: Manifest) -> None:
        """Take note that a stack is gone; another one of the same name that was seen meanwhile stays."""
        known = self._live.get(key_of(stack))
        if known is not None and known["metadata"].get("uid") == stack["metadata"].get("uid"):
            del self._live[key_of(stack)]

    def get(self, key: StackKey) -> Manifest | None:
        """Return a stack as last seen."""
        return self._live.get(key)

    def __iter__(self) -> Iterator[StackKey]:
        return iter(list(self._live))

    def __len__(self) -> int:
        return len(self._live)


def key_of(stack: Manifest) -> StackKey:
    """Return a stack's namespace and name."""
    return stack["metadata"]["namespace"], stack["metadata"]["name"]


def asked(stack: Manifest) -> tuple[object, ...]:
    """Return what of a stack is somebody's wish, not our report."""
    metadata = stack["metadata"]
    return tuple(metadata.get(name) for name in ("uid", "generation", "deletionTimestamp", "annotations", "labels"))


def _version(stack: Manifest) -> int:
    return int(stack["metadata"].get("resourceVersion") or 0)
