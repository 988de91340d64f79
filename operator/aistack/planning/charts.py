"""Charts: what is asked of a component's chart, and what it may make of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aistack.api.names import object_name
from aistack.api.nulls import Path, format_path
from aistack.api.patches import PatchSpec
from aistack.api.spec import AIStack
from aistack.catalog.charts import VALUES, VALUES_FILE, ChartObjects, ChartRequest, ChartSource, in_release
from aistack.errors import CatalogError, NotReadyError, SpecError
from aistack.objects.manifest import Manifest, ObjectKind, canonical
from aistack.planning.patches import patched
from aistack.planning.resolve import Resolved
from aistack.planning.template import checked_manifest, render_values

Known = Callable[[ChartRequest], ChartObjects | None]
"""Returns what was rendered before, None if it wasn't; raises what came of it instead."""

KINDS = frozenset(
    {
        ObjectKind("apps/v1", "Deployment"),
        ObjectKind("apps/v1", "StatefulSet"),
        ObjectKind("batch/v1", "Job"),
        ObjectKind("v1", "ConfigMap"),
        ObjectKind("v1", "PersistentVolumeClaim"),
        ObjectKind("v1", "Secret"),
        ObjectKind("v1", "Service"),
        ObjectKind("v1", "ServiceAccount"),
        ObjectKind("rbac.authorization.k8s.io/v1", "Role"),
        ObjectKind("rbac.authorization.k8s.io/v1", "RoleBinding"),
    }
)
"""What charts may make: what the operator has the right to."""
_INSTEAD: Mapping[str, str] = {
    "ClusterRole": "a stack grants nothing beyond its namespace",
    "ClusterRoleBinding": "a stack grants nothing beyond its namespace",
    "CustomResourceDefinition": "definitions belong to the whole cluster: its administrator installs them",
    "Ingress": "spec.expose of the stack makes routes to the pages of component.yaml",
    "HTTPRoute": "spec.expose of the stack makes routes to the pages of component.yaml",
    "Namespace": "a stack stays in its own",
    "NetworkPolicy": "they are made from the ports and egress of component.yaml's workloads",
}
_REMEDY = "turn it off in values.yaml.j2, or take it away under chart.patches or chart.without"


class ChartNeededError(NotReadyError):
    """Planning can go on once something of a chart is rendered.

    Args:
        request: what must be rendered.
    """

    def __init__(self, request: ChartRequest) -> None:
        self.request = request
        super().__init__(f"{request.source.title} isn't rendered yet")


def nothing_known(_: ChartRequest) -> ChartObjects | None:
    """Know of nothing that was rendered."""
    return None


@dataclass(frozen=True)
class Charted:
    """A component's chart in one stack."""

    stack: AIStack
    resolved: Resolved
    source: ChartSource

    @property
    def place(self) -> str:
        """The file to blame."""
        return f"{self.source.component}/component.yaml"

    def objects(self, context: Mapping[str, Any], known: Known) -> list[Manifest]:
        """Return what the chart makes, with the component's own patches.

        Args:
            context: names that expressions in the template of values may use.
            known: returns what was rendered.

        Raises:
            ChartNeededError: it must be rendered first.
            CatalogError: the chart, or what it makes, can't be used.
            SpecError: the user's values for it can't be taken.
        """
        request = self._request(context)
        found = known(request)
        if found is None:
            raise ChartNeededError(request)
        made = [checked_manifest(f"{self.place}: chart {o.template}", o.document) for o in found]
        result = self._patched(made)
        templates = {_name(m): o.template for m, o in zip(made, found, strict=True)}
        for manifest in result:
            for problem in self._problems(manifest):
                where = templates.get(_name(manifest), "chart.patches")
                raise CatalogError(self.place, f"chart {where}: {_name(manifest)}: {problem}")
        return result

    def _request(self, context: Mapping[str, Any]) -> ChartRequest:
        ours = render_values(f"{self.source.component}/{VALUES_FILE}", self.source.values, context)
        theirs = self.resolved.values.get(VALUES, {})
        values = merged_values(ours, theirs, f"{self.resolved.field}.values.{VALUES}")
        release = object_name(self.stack.name, self.resolved.name)
        return ChartRequest(self.source, release, self.stack.namespace, canonical(values))

    def _patched(self, made: Sequence[Manifest]) -> list[Manifest]:
        patches = [self._aimed(patch) for patch in self.source.chart.patches]

        def refuse(field: str, problem: str, remedy: str) -> CatalogError:
            return CatalogError(self.place, f"chart.{field}: {problem}; {remedy}")

        return patched(made, patches, refuse).objects if patches else list(made)

    def _aimed(self, patch: PatchSpec) -> PatchSpec:
        """Return a patch of the component's with the name that its target has in this stack."""
        name = patch.target.name and in_release(patch.target.name, object_name(self.stack.name, self.resolved.name))
        return patch.model_copy(update={"target": patch.target.model_copy(update={"name": name})})

    def _problems(self, manifest: Manifest) -> Iterator[str]:
        kind = ObjectKind(manifest["apiVersion"], manifest["kind"])
        if kind not in KINDS and not is_test(manifest):
            why = _INSTEAD.get(kind.kind, "the operator has no right to make it")
            yield f"kind is {kind.kind} of {kind.api_version}, and {why}; {_REMEDY}"
        namespace = manifest["metadata"].get("namespace", self.stack.namespace)
        if namespace != self.stack.namespace:
            yield f"metadata.namespace is {namespace!r}, and a stack stays in its own; {_REMEDY}"


def is_test(manifest: Manifest) -> bool:
    """Whether an object is of a Helm test, which is never made."""
    return "test" in str(manifest["metadata"].get("annotations", {}).get("helm.sh/hook", ""))


def merged_values(ours: Mapping[str, Any], theirs: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Merge the user's values for a chart into those that the component gives it.

    Args:
        ours: the component's; none of them can be set.
        theirs: the user's.
        field: where they stand.

    Raises:
        SpecError: one of the component's is set.
    """
    return _merged(ours, theirs, (), field)


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: Path, field: str) -> dict[str, Any]:
    result = dict(ours)
    for key, value in theirs.items():
        here, own = (*path, key), ours.get(key)
        if key in ours and isinstance(own, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(own, value, here, field)
        elif key not in ours or own == {}:
            result[key] = value
        else:
            raise SpecError(
                f"{field}{format_path(here)}",
                "is set by the component, which relies on it",
                "leave it out; if there is no other way, change the objects by patches",
            )
    return result


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"
