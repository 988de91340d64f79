"""Harden: one pure pass over all objects of a component, whoever's template made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aistack.api.component import ComponentSpec
from aistack.api.group import GROUP
from aistack.api.labels import ROLE, component_labels
from aistack.api.spec import AIStack
from aistack.catalog.models import Workload
from aistack.errors import CatalogError
from aistack.objects.manifest import Manifest, content_hash, copied
from aistack.planning.context import container_resources
from aistack.planning.images import ImageSource
from aistack.planning.pods import (
    CONTAINER_DEFAULTS,
    CONTAINER_SECURITY,
    POD_DEFAULTS,
    POD_SECURITY,
    containers,
    pod_template,
    scheduling_fields,
)
from aistack.planning.resolve import Resolved, placement

CONFIG_HASH = f"{GROUP}/config-hash"
NAMESPACES_OWN = "default"
"""The service account that every namespace has, and that no component makes."""


@dataclass(frozen=True)
class Hardener:
    """Applies a stack's common rules to the objects of one component, or to those made for one app of the user's."""

    stack: AIStack
    resolved: Resolved | None
    images: ImageSource
    app: str = ""
    """Name of the app, where there is no component."""

    def harden(self, objects: Iterable[Manifest]) -> list[Manifest]:
        """Return hardened copies of the objects.

        Raises:
            CatalogError: a container has no resources, and no role to take them from.
        """
        hardened = [self._object(copied(o)) for o in objects]
        config = {o["metadata"]["name"]: o for o in hardened if o["kind"] == "ConfigMap"}
        for manifest in hardened:
            if (template := pod_template(manifest)) is not None:
                self._pod(template, config)
        return hardened

    def _object(self, manifest: Manifest) -> Manifest:
        metadata = manifest["metadata"]
        metadata["namespace"] = self.stack.namespace
        metadata["labels"] = self._labels(metadata.get("labels", {}))
        if annotations := {**self.stack.spec.annotations, **metadata.get("annotations", {})}:
            metadata["annotations"] = annotations
        return manifest

    def _labels(self, own: Mapping[str, str]) -> dict[str, str]:
        r = self.resolved
        ours = component_labels(self.stack.name, r.name if r else self.app, r.version if r else "")
        return {**self.stack.spec.labels, **own, **ours}

    def _pod(self, template: dict[str, Any], config: Mapping[str, Manifest]) -> None:
        metadata, spec = template.setdefault("metadata", {}), template["spec"]
        metadata["labels"] = self._labels(metadata.get("labels", {}))
        annotations = {**self.stack.spec.annotations, **metadata.get("annotations", {}), **_config_hash(spec, config)}
        if annotations:
            metadata["annotations"] = annotations
        spec["securityContext"] = {**POD_DEFAULTS, **spec.get("securityContext", {}), **POD_SECURITY}
        account = spec.get("serviceAccountName") or spec.get("serviceAccount") or NAMESPACES_OWN
        if account == NAMESPACES_OWN:
            # Many charts mount a token by default; what rights this account has was given to it for something else.
            spec["automountServiceAccountToken"] = False
        spec.setdefault("automountServiceAccountToken", False)
        spec["enableServiceLinks"] = False
        r = self.resolved
        spec.update(scheduling_fields(r.scheduling if r else placement(self.stack, ComponentSpec(name=self.app))))
        if self.images.pull_secrets:
            spec["imagePullSecrets"] = self.images.pull_secret_refs()
        workload = r.component.spec.workloads.get(metadata["labels"].get(ROLE, "")) if r else None
        for container in containers(spec):
            self._container(container, workload)

    def _container(self, container: dict[str, Any], workload: Workload | None) -> None:
        own = {k: v for k, v in container.get("securityContext", {}).items() if k not in POD_SECURITY}
        container["securityContext"] = {**CONTAINER_DEFAULTS, **own, **CONTAINER_SECURITY}
        container["imagePullPolicy"] = self.images.pull_policy
        container.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")
        if not container.get("resources"):  # charts write {} for none
            if workload is None or self.resolved is None:
                raise CatalogError(
                    self.resolved.component.folder if self.resolved else self.app,
                    f"container {container['name']!r} has no resources, and its pod has no role of component.yaml",
                )
            container["resources"] = container_resources(workload.sizes[self.resolved.size])


def _config_hash(spec: Mapping[str, Any], config: Mapping[str, Manifest]) -> dict[str, str]:
    """Hash the ConfigMaps that a pod uses, so that a changed one rolls the pod and no other."""
    used = sorted(name for name in _config_names(spec) if name in config)
    contents = [{k: config[name].get(k) for k in ("data", "binaryData")} for name in used]
    return {CONFIG_HASH: content_hash(contents)} if used else {}


def _config_names(spec: Mapping[str, Any]) -> set[str]:
    """Return the names of all ConfigMaps that a pod's volumes and environment refer to."""
    names: set[str] = set()
    for volume in spec.get("volumes", []):
        sources = [volume, *volume.get("projected", {}).get("sources", [])]
        names |= {s["configMap"].get("name", "") for s in sources if s.get("configMap")}
    for container in containers(spec):
        names |= {e["configMapRef"]["name"] for e in container.get("envFrom", []) if "configMapRef" in e}
        values = (e.get("valueFrom", {}) for e in container.get("env", []))
        names |= {v["configMapKeyRef"]["name"] for v in values if "configMapKeyRef" in v}
    return {name for name in names if name}
