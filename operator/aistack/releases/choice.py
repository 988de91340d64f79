"""Which release a stack is planned from. Pure."""

from __future__ import annotations

from aistack.api.spec import AIStack

LATEST = "latest"
"""What a spec says for the operator's own release, whatever that is."""


def chosen(stack: AIStack, own: str) -> str:
    """Return the release that a stack's spec names, or else the one that it runs, or else the operator's own.

    Args:
        stack: with its status.
        own: name of the operator's; empty where it has none.
    """
    asked = own if stack.spec.release == LATEST else stack.spec.release
    return asked or stack.status.release or own
