"""Image references: the one place where they are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aistack.api.spec import AIStack
from aistack.catalog.models import Image


@dataclass(frozen=True)
class ImageSource:
    """Where a stack's images come from and how they are pulled."""

    registry: str
    pull_policy: str
    pull_secrets: tuple[str, ...]

    @classmethod
    def of(cls, stack: AIStack) -> ImageSource:
        """Read ``spec.images``."""
        images = stack.spec.images
        return cls(images.registry or "", images.pull_policy.value, tuple(s.name for s in images.pull_secrets))

    def reference(self, image: Image) -> str:
        """Return what a pod's ``image`` says."""
        return image.reference(self.registry)

    def pull_secret_refs(self) -> list[dict[str, Any]]:
        """Return a pod's ``imagePullSecrets``."""
        return [{"name": name} for name in self.pull_secrets]
