"""Who uses which parts of the catalog, as stacks and pieces themselves say. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from aistack.catalog.models import Profile
from aistack.catalog.pieces import Piece
from aistack.objects.manifest import Manifest

Profiles = Mapping[str, Profile]


def parts_used(stack: Manifest, profiles: Profiles) -> frozenset[str]:
    """Return what a stack asks for or still has: components, contracts of its connections, its profile."""
    return frozenset(_used(stack.get("spec") or {}, stack.get("status") or {}, profiles))


def users_of(parts: Collection[str], stacks: Iterable[Manifest], profiles: Profiles) -> tuple[str, ...]:
    """Return the stacks that use some parts, as ``namespace/name``."""
    wanted = frozenset(parts)
    found = (stack["metadata"] for stack in stacks if wanted & parts_used(stack, profiles))
    return tuple(sorted(f"{metadata['namespace']}/{metadata['name']}" for metadata in found))


def needed_by(piece: Piece, others: Iterable[Piece]) -> tuple[str, ...]:
    """Return the pieces that have to do with contracts that one brings."""
    brought = set(piece.contracts)
    return tuple(other.name for other in others if any(c.contracts & brought for c in other.components.values()))


def _used(spec: Mapping[str, Any], status: Mapping[str, Any], profiles: Profiles) -> Iterator[str]:
    if profile := profiles.get(str(spec.get("profile"))):
        off = {c.get("name") for c in spec.get("components") or () if c.get("enabled") is False}
        yield f"profiles/{profile.name}"
        yield from (f"components/{name}" for name in profile.components if name not in off)
    asked = (c for c in spec.get("components") or () if c.get("enabled") is not False)
    yield from (f"components/{component.get('name')}" for component in (*asked, *(status.get("components") or ())))
    for entry in (*(spec.get("external") or ()), *(status.get("edges") or ())):
        yield f"contracts/{entry.get('contract')}"
