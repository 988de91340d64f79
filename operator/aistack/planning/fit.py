"""Fit: a chart's objects made to follow a stack's rules, where no value of the chart's could.

Pods get their role's labels and selectors follow; volumes of StatefulSets become PersistentVolumeClaims of their own;
Secrets that are made once are referred to by the names of their generations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aistack.api.labels import ROLE, SERVING, component_labels, identity_labels, selector_labels
from aistack.errors import CatalogError
from aistack.objects.manifest import Manifest, copied
from aistack.planning.pods import containers, pod_template
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import service_name

WORKLOADS = frozenset({"Deployment", "StatefulSet"})
_HELM = "helm.sh/"


@dataclass(frozen=True)
class _Pods:
    """The pods of one workload: its role, and their labels as the chart wrote them and as they become."""

    role: str
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True)
class Fitter:
    """Fits the objects of one component's chart.

    Args:
        stack: the stack's name.
        resolved: the component.
        secrets: names of Secrets that are made once, by what the chart calls them.
    """

    stack: str
    resolved: Resolved
    secrets: Mapping[str, str]

    def fitted(self, objects: Sequence[Manifest]) -> list[Manifest]:
        """Return copies of the objects that follow the rules.

        Raises:
            CatalogError: a workload's role can't be told, or what it asks for can't be had.
        """
        made = [copied(manifest) for manifest in objects]
        workloads = [manifest for manifest in made if manifest["kind"] in WORKLOADS]
        pods = [self._workload(manifest, alone=len(workloads) == 1) for manifest in workloads]
        for manifest in made:
            self._common(manifest)
            if manifest["kind"] == "Service":
                self._service(manifest, pods)
        return [*made, *(claim for manifest in workloads for claim in self._volumes(manifest))]

    def renamed(self, jobs: Iterable[Manifest]) -> list[Manifest]:
        """Return copies of Jobs that refer to the Secrets by the names that they have."""
        made = [copied(job) for job in jobs]
        for job in made:
            self._rename(job)
        return made

    def _common(self, manifest: Manifest) -> None:
        metadata = manifest["metadata"]
        if annotations := {k: v for k, v in metadata.pop("annotations", {}).items() if not k.startswith(_HELM)}:
            metadata["annotations"] = annotations
        self._rename(manifest)

    def _rename(self, manifest: Manifest) -> None:
        if (template := pod_template(manifest)) is not None:
            for reference, field in _secret_references(template["spec"]):
                reference[field] = self.secrets.get(reference.get(field, ""), reference.get(field))

    def _workload(self, manifest: Manifest, *, alone: bool) -> _Pods:
        template = pod_template(manifest)
        if template is None:
            raise self._error(manifest, "spec.template is missing")
        before = dict(template.setdefault("metadata", {}).get("labels", {}))
        role = self._role(manifest, before, alone=alone)
        r = self.resolved
        ours = {**component_labels(self.stack, r.name, r.version), **selector_labels(self.stack, r.name, role)}
        after = {**before, **ours}
        template["metadata"]["labels"] = after
        chosen = manifest["spec"].get("selector", {})
        if chosen.get("matchExpressions"):
            raise self._error(manifest, "spec.selector.matchExpressions can't be followed; the chart must use labels")
        own = {key: after[key] for key in chosen.get("matchLabels", {}) if key in after}
        manifest["spec"]["selector"] = {"matchLabels": {**own, **selector_labels(self.stack, r.name, role)}}
        return _Pods(role, before, after)

    def _role(self, manifest: Manifest, labels: Mapping[str, str], *, alone: bool) -> str:
        """Return which workload of component.yaml an object is: by its pods' label, its name, or as the only one."""
        roles = [role for role, workload in self.resolved.component.spec.workloads.items() if not workload.spawned]
        if labels.get(ROLE) in roles:
            return labels[ROLE]
        named = {service_name(self.stack, self.resolved.name, role): role for role in roles}
        if manifest["metadata"]["name"] in named:
            return named[manifest["metadata"]["name"]]
        if alone and len(roles) == 1:
            return roles[0]
        raise self._error(
            manifest,
            "its pods have no role of component.yaml: give them the labels pod_labels(...), or it the name of a role's "
            f"Service, or take it away; there are the roles {', '.join(roles) or 'none'}",
        )

    def _service(self, manifest: Manifest, pods: Iterable[_Pods]) -> None:
        """Lead a Service to the serving pods that it selected, by labels that no Job's pod has."""
        chosen = manifest.get("spec", {}).get("selector")
        if not chosen:
            return
        met = [p for p in pods if chosen.items() <= p.before.items()]
        if not met:
            raise self._error(manifest, "spec.selector meets no pod that the chart makes")
        own = {key: met[0].after[key] for key in chosen}
        if any({key: p.after[key] for key in chosen} != own for p in met):
            raise self._error(manifest, "spec.selector meets pods of several roles by labels that tell them apart")
        ours = {**identity_labels(self.stack, self.resolved.name), SERVING: "true"}
        one_role = {ROLE: met[0].role} if len({p.role for p in met}) == 1 else {}
        manifest["spec"]["selector"] = {**own, **ours, **one_role}

    def _volumes(self, manifest: Manifest) -> Iterator[Manifest]:
        """Yield the volumes that a StatefulSet would make for its one pod, as objects of their own."""
        wanted = manifest["spec"].pop("volumeClaimTemplates", None) or []
        if wanted and manifest["spec"].get("replicas", 1) > 1:
            problem = (
                "spec.volumeClaimTemplates makes volumes for several pods, and a stack's have one; set replicas to 1"
            )
            raise self._error(manifest, problem)
        volumes = manifest["spec"]["template"]["spec"].setdefault("volumes", []) if wanted else []
        for claim in wanted:
            name = f"{manifest['metadata']['name']}-{claim['metadata']['name']}"
            volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}})
            metadata = {**claim["metadata"], "name": name}
            yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim["spec"]}

    def _error(self, manifest: Manifest, problem: str) -> CatalogError:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        return CatalogError(f"{self.resolved.component.folder}/component.yaml", f"chart: {name}: {problem}")


def _secret_references(spec: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield what names a Secret in a pod, and the field of the name."""
    for volume in spec.get("volumes", []):
        if "secret" in volume:
            yield volume["secret"], "secretName"
        for source in volume.get("projected", {}).get("sources", []):
            if "secret" in source:
                yield source["secret"], "name"
    for container in containers(spec):
        yield from ((e["secretRef"], "name") for e in container.get("envFrom", []) if "secretRef" in e)
        values = (e.get("valueFrom", {}) for e in container.get("env", []))
        yield from ((v["secretKeyRef"], "name") for v in values if "secretKeyRef" in v)
