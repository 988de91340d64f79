"""What the engine has to be told about its surroundings."""

from __future__ import annotations

from dataclasses import dataclass, field

from aistack.objects.manifest import ObjectKind

POD = ObjectKind("v1", "Pod")
SECRET = ObjectKind("v1", "Secret")
JOB = ObjectKind("batch/v1", "Job")
SERVICE_ACCOUNT = ObjectKind("v1", "ServiceAccount")
EVENT = ObjectKind("v1", "Event")
NAMESPACE = ObjectKind("v1", "Namespace")
CONFIG_MAP = ObjectKind("v1", "ConfigMap")

WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job"})
"""Kinds that own pods: deleted in the foreground, so that they are gone only once their pods are."""

FULL_KINDS = WORKLOADS | {
    "PersistentVolumeClaim",
    "Pod",
    "CustomResourceDefinition",
    "Service",
    "RoleBinding",
    "ClusterRoleBinding",
    "HTTPRoute",
}
"""Kinds whose health or immutable fields need more than metadata; all others are watched as metadata only."""


@dataclass(frozen=True)
class Settings:
    """Names and limits of one engine. Durations are in seconds."""

    field_manager: str
    owner_label: str
    """Label whose value is the owner's name; what carries it is watched."""
    unit_label: str
    """Label whose value is the unit's name, on objects."""
    pod_unit_label: str
    """Label whose value is the unit's name, on pods."""
    retained_label: str
    """Label that marks data kept after its owner's deletion; its value is the owner's name."""
    spawned_label: str
    """Label that marks, with ``true``, what an owner's tools make themselves."""
    recipe_annotation: str
    """Annotation on generated Secrets: hash of their recipes, to know them again when the inventory is lost."""
    namespace: str = "aistack-system"
    """Where inventories are kept: tenants must not be able to write there."""
    namespaces: tuple[str, ...] = ()
    """Namespaces whose owners are served, and where alone rights are needed; none means all."""
    account_role: str = ""
    """How kubectl's create rolebinding names the role with all that owners' accounts need."""
    kinds: tuple[ObjectKind, ...] = ()
    """Kinds to watch from the start; others are watched once a plan or an inventory names them."""
    full_kinds: frozenset[str] = field(default=FULL_KINDS)
    retry_base: float = 5.0
    """Delay before a failed action runs again; doubled each time."""
    retry_limit: float = 300.0
    watch_silence: float = 150.0
    """A watch that says nothing for so long (bookmarks come every minute) is taken for dead."""
    watch_backoff_limit: float = 60.0

    def scope(self, namespace: str) -> str:
        """Return where to follow what a namespace needs: everywhere at once, unless rights end with namespaces."""
        return namespace if self.namespaces else ""

    def serves(self, namespace: str) -> bool:
        """Tell whether owners in a namespace are served."""
        return not self.namespaces or namespace in self.namespaces
