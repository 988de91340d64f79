"""The engine's settings for stacks: the one place where the API's names meet the engine, which knows none of them."""

from __future__ import annotations

from aistack.api.group import FIELD_MANAGER, GROUP
from aistack.api.labels import COMPONENT, RETAINED_FROM, SPAWNED, STACK
from aistack.cluster.settings import Settings
from aistack.objects.manifest import ObjectKind

OPERATOR_NAMESPACE = "aistack-system"
"""Where the operator keeps its inventories unless told otherwise."""

VOLUME = ObjectKind("v1", "PersistentVolumeClaim")
"""Watched from the start: tools make some themselves, which no plan names."""


def engine_settings(namespace: str = OPERATOR_NAMESPACE) -> Settings:
    """Return settings for an engine that reconciles stacks."""
    return Settings(
        field_manager=FIELD_MANAGER,
        owner_label=STACK,
        unit_label=COMPONENT,
        pod_unit_label=COMPONENT,
        retained_label=RETAINED_FROM,
        spawned_label=SPAWNED,
        kinds=(VOLUME,),
        recipe_annotation=f"{GROUP}/recipes",
        namespace=namespace,
    )
