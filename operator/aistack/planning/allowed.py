"""What a component's templates may make, namespaced objects whose pods are isolated and hardened, and must make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from aistack.api.labels import ROLE
from aistack.api.texts import APPARMOR
from aistack.catalog.models import Component, Metrics, Page, Provide, Workload
from aistack.objects.manifest import Manifest, ObjectKind
from aistack.planning.pods import containers, pod_template
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import service_name

_CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CSIDriver",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttributesClass",
        "VolumeSnapshotClass",
    }
)
_MADE_OTHERWISE: Mapping[str, str] = {
    "Pod": "write a Deployment or a StatefulSet, which brings it back",
    "ReplicaSet": "write a Deployment",
    "ReplicationController": "write a Deployment",
    "List": "write each of its items as a document of its own",
    "Job": "what must be done once belongs in a claim or an init container",
    "Secret": "describe it under `secrets` in component.yaml, so that no plan holds its values",
    "NetworkPolicy": "say under `workloads` in component.yaml who may connect to which port, and where its pods may go",
}
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
"""Types of volumes that the restricted Pod Security Standard allows."""


def refusals(
    manifest: Manifest, prefix: str, workloads: Mapping[str, Workload], images: Collection[str]
) -> Iterator[str]:
    """Yield why a template may not make an object.

    Args:
        manifest: what it makes.
        prefix: what the names of the component's objects start with.
        workloads: those of component.yaml, by role.
        images: references of the component's images.
    """
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if kind in _CLUSTER_SCOPED:
        yield f"makes a {kind}; a stack makes namespaced objects only"
    if kind in _MADE_OTHERWISE:
        yield f"makes a {kind}; {_MADE_OTHERWISE[kind]}"
    if kind == "StatefulSet" and manifest.get("spec", {}).get("volumeClaimTemplates"):
        yield "makes a StatefulSet with volumeClaimTemplates; write PersistentVolumeClaims of their own"
    if not f"{name}-".startswith(f"{prefix}-"):
        yield f"makes the {kind} {name!r:.80}, a name that isn't the component's own; write `name: {{{{ name(...) }}}}`"
    if kind in ("Role", "RoleBinding"):
        yield from (f"makes the {kind} {name}, whose {p}" for p in _rights(manifest))
    if (template := pod_template(manifest)) is not None:
        if template.get("metadata", {}).get("labels", {}).get(ROLE) not in workloads:
            yield f"{kind} {name}: its pods have no role of component.yaml; write `labels: {{{{ pod_labels(...) }}}}`"
        yield from (f"{kind} {name}: {p}" for p in pod_refusals(template, images))


def undeclared(component: Component, manifest: Manifest) -> Iterator[str]:
    """Yield that a component's template may not make an object, as its kind wasn't declared by who brought it."""
    kind = declared_kind(ObjectKind(manifest["apiVersion"], manifest["kind"]))
    if component.makes is not None and kind not in component.makes:
        declared = ", ".join(component.makes) or "none"
        yield f"makes a {kind}, and declared are {declared}; add it to spec.kinds of the AIComponent, or leave it out"


def declared_kind(kind: ObjectKind) -> str:
    """Return a kind as an AIComponent declares it: ``Service``, ``apps/Deployment``."""
    group = kind.api_version.rpartition("/")[0]
    return f"{group}/{kind.kind}" if group else kind.kind


def unserved(stack: str, r: Resolved, objects: Iterable[Manifest]) -> Iterator[str]:
    """Yield the ports where a component provides something, or has a page or metrics, and that no Service leads to."""
    spec = r.component.spec
    services = (o for o in objects if o["kind"] == "Service")
    served = {(o["metadata"]["name"], p["port"]) for o in services for p in o.get("spec", {}).get("ports", [])}
    promises: tuple[Provide | Page | Metrics, ...] = (*spec.provides, *spec.pages, *spec.metrics)
    for promise in promises:
        service = service_name(stack, r.name, promise.workload)
        port = spec.workloads[promise.workload].ports[promise.port].port
        if (service, port) not in served:
            yield f"no template makes the Service {service} with the port {port} ({promise.port})"


def _rights(manifest: Manifest) -> Iterator[str]:
    """Yield what a Role or RoleBinding grants that no component may have or give away."""
    if manifest["kind"] == "RoleBinding" and manifest.get("roleRef", {}).get("kind") != "Role":
        name = manifest.get("roleRef", {}).get("name")
        yield f"roleRef names the ClusterRole {name!r}; bind a Role of the component's"
    for i, subject in enumerate(manifest.get("subjects") or ()):
        if subject.get("kind") != "ServiceAccount":
            yield f"subjects[{i}] is the {subject.get('kind')} {subject.get('name')!r}; name ServiceAccounts only"
    for i, rule in enumerate(manifest.get("rules") or ()):
        for field in ("apiGroups", "resources", "verbs"):
            if "*" in (rule.get(field) or ()):
                yield f"rules[{i}].{field} has a wildcard; name each, as the operator must hold what it grants"


def pod_refusals(template: Mapping[str, Any], images: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with a pod template, whatever makes it.

    Args:
        template: of a workload or a Job.
        images: references of the component's images.
    """
    metadata, spec = template.get("metadata", {}), template["spec"]
    yield from (f"the annotation {a} is not allowed" for a in metadata.get("annotations", {}) if a.startswith(APPARMOR))
    yield from (f"{field} is not allowed" for field in _HOST_NAMESPACES if spec.get(field))
    for volume in spec.get("volumes", []):
        yield from (f"volume {volume['name']!r}: {kind} is not allowed" for kind in sorted(_types(volume) - _VOLUMES))
    yield from _context("its pods", spec.get("securityContext", {}))
    for container in containers(spec):
        yield from _container(container, images)


def _types(volume: Mapping[str, Any]) -> set[str]:
    return set(volume) - {"name"}


def _container(container: Mapping[str, Any], images: Collection[str]) -> Iterator[str]:
    who = f"container {container.get('name')!r}"
    if container.get("image") not in images:
        yield f"{who}: its image is none of component.yaml's; write `image: {{{{ image(...) }}}}`"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield f"{who}: hostPort is not allowed"
    if container.get("securityContext", {}).get("privileged"):
        yield f"{who}: privileged is not allowed"
    yield from (f"{who}: httpGet.host in {where} is not allowed" for where in _foreign_hosts(container))
    yield from (
        f"{who}: {where} names the port {port!r}, which isn't its own" for where, port in _unknown_ports(container)
    )
    yield from _context(who, container.get("securityContext", {}))


def _handlers(container: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the probes and hooks of a container."""
    return {**{probe: container.get(probe, {}) for probe in _PROBES}, **container.get("lifecycle", {})}


def _unknown_ports(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the probes and hooks whose port has a name that the kubelet finds nowhere, and the name."""
    known = {port.get("name") for port in container.get("ports", [])}
    for where, handler in _handlers(container).items():
        port = handler.get("httpGet", handler.get("tcpSocket", {})).get("port")
        if isinstance(port, str) and port not in known:
            yield where, port


def _foreign_hosts(container: Mapping[str, Any]) -> Iterator[str]:
    """Yield the probes and hooks by which the kubelet, which no policy holds, would connect to any host."""
    yield from (where for where, handler in _handlers(container).items() if handler.get("httpGet", {}).get("host"))


def _context(who: str, security: Mapping[str, Any]) -> Iterator[str]:
    if security.get("runAsUser") == 0:
        yield f"{who}: runAsUser 0 is not allowed"
    for field in ("procMount", "seLinuxOptions", "sysctls", "windowsOptions", "appArmorProfile"):
        if security.get(field):
            yield f"{who}: {field} is not allowed"
