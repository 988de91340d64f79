"""What whoever installs an operator decides, besides where it serves."""

from __future__ import annotations

import socket
import uuid
from dataclasses import dataclass, field

from aistack.planning.accounts import Accounts
from aistack.releases.artifact import Release


def unique_identity() -> str:
    """Return a name that no other process has: the host's, and some letters."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"


AS_ITSELF = Accounts()
"""Makes the objects of stacks that name no ServiceAccount with the operator's own rights."""


@dataclass(frozen=True)
class Options:
    """How one operator goes about its work."""

    accounts: Accounts = AS_ITSELF
    """As whom it makes stacks' objects."""
    take_over: tuple[str, ...] = ()
    """Operators that are gone for good, by namespace, whose stacks are this one's now."""
    release: Release | None = None
    """What it has as its own, for later versions to go on with; None for a catalog that no stack stays with."""
    workers: int = 4
    """Stacks that are worked on at the same time."""
    identity: str = field(default_factory=unique_identity)
    """What tells this replica from others. One that is started anew under its former identity leads again at once."""
