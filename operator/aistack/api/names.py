"""Names: the one place where object names are built."""

from __future__ import annotations

from aistack.errors import CatalogError, SpecError

MAX_STACK_NAME = 24
"""Longest name of a stack, so that the names of its objects stay within Kubernetes' 63 characters."""
MAX_CATALOG_NAME = 20
"""Longest name of a component, contract or profile, for the same reason."""
MAX_NAME = 63
"""Kubernetes' limit for Services and for label values (DNS label, RFC 1123)."""


def object_name(stack: str, *parts: str) -> str:
    """Join a stack's name and parts with ``-``.

    Raises:
        SpecError: the result is longer than 63 characters.
        CatalogError: it would be with any stack's name.
    """
    name = "-".join((stack, *(p for p in parts if p)))
    problem = f"makes the object name {name!r} of {len(name)} characters, {MAX_NAME} are allowed"
    excess = len(name) - MAX_NAME
    if excess >= len(stack):
        raise CatalogError(f"components/{parts[0]}", f"{problem}: no stack's name is short enough")
    if excess > 0:
        raise SpecError("metadata.name", problem, f"shorten the stack's name by {excess} characters")
    return name
