"""The engine's settings for stacks: the one place where the API's names meet the engine, which knows none of them."""

from __future__ import annotations

from collections.abc import Iterable

from aistack.api.group import FIELD_MANAGER, GROUP
from aistack.api.labels import COMPONENT, RETAINED_FROM, SPAWNED, STACK
from aistack.cluster.settings import Settings
from aistack.objects.manifest import ObjectKind

OPERATOR_NAMESPACE = "aistack-system"
"""Where the operator keeps its inventories unless told otherwise."""
ACCOUNT_ROLE = "aistack-stack"
"""Role with all that the account of a stack needs; the chart makes it, for the cluster or in each namespace served."""

KINDS = (
    ObjectKind("apps/v1", "Deployment"),
    ObjectKind("apps/v1", "StatefulSet"),
    ObjectKind("batch/v1", "Job"),
    ObjectKind("v1", "Service"),
    ObjectKind("v1", "ConfigMap"),
    ObjectKind("v1", "Secret"),
    ObjectKind("v1", "PersistentVolumeClaim"),
    ObjectKind("v1", "ServiceAccount"),
    ObjectKind("rbac.authorization.k8s.io/v1", "Role"),
    ObjectKind("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ObjectKind("networking.k8s.io/v1", "NetworkPolicy"),
    ObjectKind("networking.k8s.io/v1", "Ingress"),
)
"""Kinds that components of the catalog are made of: where a stack's objects are found if its inventory is lost.

HTTPRoute isn't among them: a cluster without the Gateway API would be asked for it again and again.
"""


def engine_settings(namespace: str = OPERATOR_NAMESPACE, served: Iterable[str] = ()) -> Settings:
    """Return settings for an engine that reconciles stacks.

    Args:
        namespace: where inventories are kept.
        served: namespaces whose stacks are served; none means all.
    """
    served = tuple(served)
    return Settings(
        field_manager=FIELD_MANAGER,
        owner_label=STACK,
        unit_label=COMPONENT,
        pod_unit_label=COMPONENT,
        retained_label=RETAINED_FROM,
        spawned_label=SPAWNED,
        kinds=KINDS,
        recipe_annotation=f"{GROUP}/recipes",
        namespace=namespace,
        namespaces=served,
        account_role=f"--role={ACCOUNT_ROLE}" if served else f"--clusterrole={ACCOUNT_ROLE}",
    )
