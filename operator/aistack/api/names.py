"""Names: the one place where object names are built."""

from __future__ import annotations

from aistack.errors import SpecError

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
    """
    name = "-".join((stack, *(p for p in parts if p)))
    if len(name) > MAX_NAME:
        raise SpecError(
            "metadata.name",
            f"makes the object name {name!r} of {len(name)} characters, {MAX_NAME} are allowed",
            f"shorten the stack's name by {len(name) - MAX_NAME} characters",
        )
    return name
