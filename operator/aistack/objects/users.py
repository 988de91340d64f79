"""Users' Secrets as planning may see them: what isn't secret of them, and marks of what is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Sought = Mapping[str, Mapping[str, bool]]
"""What a plan wants to know of users' Secrets: by the Secret's name its keys, and whether their values are secret."""


@dataclass(frozen=True)
class UserSecret:
    """A Secret that the user made and the plan refers to."""

    values: Mapping[str, str] = field(default_factory=dict)
    """Values of keys that aren't secret, without blanks around them."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """For each secret key a text that changes when, and only when, its value does, and that tells nothing of it."""
    unusable: Mapping[str, str] = field(default_factory=dict)
    """Keys whose value no program could use as it is, and why."""
    others: frozenset[str] = frozenset()
    """Names of the keys that nobody sought."""

    def __contains__(self, key: object) -> bool:
        return key in self.values or key in self.marks
