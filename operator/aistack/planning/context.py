"""What templates may say: names, labels, bindings, sizes and files, as functions that return plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from aistack.api.labels import ROLE, SPAWNED, component_labels, identity_labels, role_identity, selector_labels
from aistack.api.names import object_name
from aistack.api.spec import AIStack
from aistack.catalog.models import Resources
from aistack.errors import CatalogError
from aistack.objects.manifest import ObjectRef
from aistack.objects.plan import Observed
from aistack.planning import encode
from aistack.planning.exposure import address_of
from aistack.planning.images import ImageSource
from aistack.planning.metrics import Scrape
from aistack.planning.pods import spawned_pod_settings
from aistack.planning.resolve import DATA, Resolved
from aistack.planning.rollout import rollout
from aistack.planning.secrets import service_host


@dataclass(frozen=True)
class SecretHandle:
    """A Secret that a template may refer to, by name and key."""

    secret: str
    keys: frozenset[str] = frozenset()
    """Keys of a share, which are known; of other Secrets none."""

    def has(self, key: str) -> bool:
        """Whether a share has a key that is optional."""
        return key in self.keys

    def env(self, key: str) -> dict[str, Any]:
        """Return what stands beside ``name`` in a container's ``env`` entry."""
        return {"secretKeyRef": {"name": self.secret, "key": key}}


@dataclass(frozen=True)
class StackView:
    """The stack, for templates."""

    name: str
    namespace: str


@dataclass(frozen=True)
class SecretNames:
    """Names of the Secrets that one component may use, by purpose."""

    bindings: Mapping[str, SecretHandle] = field(default_factory=dict)
    """Shares, by edge."""
    provided: Mapping[str, str] = field(default_factory=dict)
    """Admin bindings, by contract."""
    own: Mapping[str, str] = field(default_factory=dict)
    """Own Secrets by base name (without generation)."""


@dataclass(frozen=True)
class TemplateContext:
    """Everything that one component's templates may use."""

    stack: AIStack
    resolved: Resolved
    secrets: SecretNames
    images: ImageSource
    collect: Callable[[], Sequence[Scrape]] = tuple
    """Returns where the whole stack's metrics are."""
    observed: Observed = field(default_factory=Observed)
    """What exists."""

    def as_mapping(self) -> dict[str, Any]:
        """Return the names that expressions see."""
        r = self.resolved
        functions: dict[str, Callable[..., Any]] = {
            name: getattr(self, name)
            for name in (
                "name",
                "host",
                "any_address",
                "exposed",
                "labels",
                "selector",
                "pod_labels",
                "spawned_labels",
                "image",
                "image_parts",
                "binding",
                "bound",
                "provided",
                "secret",
                "rollout",
                "scrapes",
                "storage",
                "resources",
                "spawned_pod",
                "file",
            )
        }
        return {
            "stack": StackView(self.stack.name, self.stack.namespace),
            "component": r.name,
            "version": r.version,
            "values": r.values,
            "size": str(r.size),
            **functions,
            **encode.FUNCTIONS,
        }

    def name(self, *parts: str) -> str:
        """Return the name of an object of this component."""
        return object_name(self.stack.name, self.resolved.name, *parts)

    def host(self, role: str = "server") -> str:
        """Return the DNS name of a workload's Service."""
        self._workload(role)
        return service_host(self.stack.name, self.stack.namespace, self.resolved.name, role)

    def any_address(self) -> str:
        """Return the address that stands for all of a pod's, in the family that the cluster gives Services first.

        Unknown before the stack's first Service is there: then IPv4. Not ``::`` for both, as it fails on nodes without
        IPv6, and some programs take it for IPv6 alone.
        """
        services = (o for ref, o in self.observed.objects.items() if ref.kind == "Service")
        first = {family for service in services for family in service["spec"].get("ipFamilies", ())[:1]}
        return "::" if first == {"IPv6"} else "0.0.0.0"  # noqa: S104 - pods serve their Services

    def exposed(self) -> dict[str, str]:
        """Return where people find this component's page: its ``host`` and ``origin``; empty where it isn't exposed."""
        address = address_of(self.stack, self.resolved)
        return {"host": address.host, "origin": address.origin} if address else {}

    def labels(self) -> dict[str, str]:
        """Return the labels that every object of this component gets."""
        return component_labels(self.stack.name, self.resolved.name, self.resolved.version)

    def selector(self, role: str) -> dict[str, str]:
        """Return what selects the serving pods of a role."""
        self._workload(role)
        return selector_labels(self.stack.name, self.resolved.name, role)

    def pod_labels(self, role: str) -> dict[str, str]:
        """Return the labels of a serving pod of a role."""
        return {**self.labels(), **self.selector(role)}

    def spawned_labels(self, role: str) -> dict[str, str]:
        """Return the labels of a pod that the tool spawns itself: an identity, never serving."""
        self._workload(role)
        identity = role_identity(self.resolved.name, role)
        return {**self.labels(), **identity_labels(self.stack.name, identity), ROLE: role, SPAWNED: "true"}

    def image(self, name: str) -> str:
        """Return the reference of one of the component's images."""
        images = self.resolved.component.spec.images
        if name not in images:
            raise self._unknown("image", name, images)
        return self.images.reference(images[name])

    def image_parts(self, name: str) -> dict[str, str]:
        """Return the same in parts, as charts take them: ``registry``, ``path``, ``repository`` (both) and ``tag``."""
        repository, _, tag = self.image(name).rpartition(":")
        path = self.resolved.component.spec.images[name].repository
        registry = repository.removesuffix(f"/{path}")
        return {"registry": registry, "path": path, "repository": repository, "tag": tag}

    def binding(self, edge: str) -> SecretHandle:
        """Return this component's share of a contract."""
        if edge not in self.secrets.bindings:
            raise self._unknown("binding", edge, self.secrets.bindings)
        return self.secrets.bindings[edge]

    def bound(self, edge: str) -> bool:
        """Whether this stack has a share of a contract that is optional."""
        edges = {require.edge: require for require in self.resolved.component.spec.requires}
        if edge not in edges:
            raise self._unknown("requirement", edge, edges)
        return edge in self.secrets.bindings

    def provided(self, contract: str) -> SecretHandle:
        """Return the admin binding of a contract that this component provides."""
        return self._handle("provided contract", contract, self.secrets.provided)

    def secret(self, name: str, item: str = "") -> SecretHandle:
        """Return a Secret that this component generates for itself."""
        return self._handle("secret", object_name(self.stack.name, self.resolved.name, name, item), self.secrets.own)

    def rollout(self, *parts: str) -> dict[str, Any]:
        """Return the strategy of a Deployment of this component: pods overlap unless their version changes."""
        ref = ObjectRef("apps/v1", "Deployment", self.stack.namespace, self.name(*parts))
        return dict(rollout(self.observed.objects.get(ref), self.resolved.version))

    def scrapes(self) -> list[dict[str, Any]]:
        """Return where each component of the stack shows its metrics, and the Secret that opens them."""
        return [asdict(scrape) for scrape in self.collect()]

    def storage(self, name: str) -> dict[str, str]:
        """Return size and class of a volume; an empty class is the cluster's default."""
        volumes = self.resolved.component.spec.storage
        if name not in volumes:
            raise self._unknown("storage", name, volumes)
        own = self.resolved.storage_size if name == DATA else ""
        return {"size": own or volumes[name][self.resolved.size], "className": self.resolved.storage_class}

    def resources(self, role: str) -> dict[str, Any]:
        """Return requests and limits of a role's containers."""
        return container_resources(self._workload(role))

    def spawned_pod(self, role: str) -> dict[str, Any]:
        """Return what a spawner must apply to the pods it makes."""
        labels = self.spawned_labels(role)
        return spawned_pod_settings(self.stack, self.resolved, self.images, self.resources(role), labels)

    def file(self, name: str) -> str:
        """Return the text of a file of the component's folder."""
        files = self.resolved.component.files
        if name not in files:
            raise self._unknown("file", name, files)
        return files[name]

    def _workload(self, role: str) -> Resources:
        workloads = self.resolved.component.spec.workloads
        if role not in workloads:
            raise self._unknown("workload", role, workloads)
        return workloads[role].sizes[self.resolved.size]

    def _handle(self, what: str, name: str, known: Mapping[str, str]) -> SecretHandle:
        if name not in known:
            raise self._unknown(what, name, known)
        return SecretHandle(known[name])

    def _unknown(self, what: str, name: str, known: Mapping[str, Any]) -> CatalogError:
        folder = self.resolved.component.folder
        return CatalogError(f"{folder}/component.yaml", f"has no {what} {name!r}, only: {', '.join(known) or 'none'}")


def container_resources(sized: Resources) -> dict[str, Any]:
    """Return a size as a container's ``resources``."""
    limits = {"memory": sized.memory_limit} | ({"cpu": sized.cpu_limit} if sized.cpu_limit else {})
    return {"requests": {"cpu": sized.cpu, "memory": sized.memory}, "limits": limits}
