"""From a plan to the manifests that ``render`` prints."""

from __future__ import annotations

from collections.abc import Iterator

from aistack.api.group import GROUP
from aistack.objects.manifest import Manifest
from aistack.objects.plan import CreateSecret, Plan
from aistack.objects.recipes import describe

KEYS = f"{GROUP}/keys"
"""Annotation on a rendered Secret: how each key is made. Without data, a pod that needs a key doesn't start."""


def manifests(plan: Plan) -> Iterator[Manifest]:
    """Yield all objects of a plan in the order in which they are applied: wave, component, phase."""
    for unit in plan.units:
        for step in unit.prepare:
            yield secret_outline(step) if isinstance(step, CreateSecret) else step.manifest
        for action in unit.actions:
            yield action.manifest
        for run in unit.run:
            yield run.manifest


def secret_outline(secret: CreateSecret) -> Manifest:
    """Return a Secret with a description of its keys in the place of its values."""
    metadata = secret.manifest["metadata"]
    keys = "".join(f"{key}: {describe(recipe)}\n" for key, recipe in sorted(secret.recipes.items()))
    annotations = {**metadata.get("annotations", {}), KEYS: keys}
    return {**secret.manifest, "metadata": {**metadata, "annotations": annotations}}
