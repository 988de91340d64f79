"""Made: all that a component's templates and its chart make, patched, and looked at before it is hardened."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aistack.api.names import object_name
from aistack.api.spec import AIStack, ComponentSpec
from aistack.catalog.charts import in_release
from aistack.errors import CatalogError, SpecError
from aistack.objects.manifest import Manifest, ref_of
from aistack.objects.plan import CreateSecret, RunAction
from aistack.planning.allowed import pod_refusals, refusals, undeclared, unserved
from aistack.planning.charts import Charted, Known
from aistack.planning.fit import Fitter
from aistack.planning.hooks import Hooks, actions, told_apart
from aistack.planning.images import ImageSource
from aistack.planning.patches import Patched, patched
from aistack.planning.pods import pod_template
from aistack.planning.resolve import Resolved
from aistack.planning.secrets import SecretPlanner
from aistack.planning.template import render_template


@dataclass(frozen=True)
class Made:
    """What a component is made of."""

    objects: list[Manifest] = field(default_factory=list)
    secrets: list[CreateSecret] = field(default_factory=list)
    """Secrets that its chart fills, which are made once."""
    actions: list[RunAction] = field(default_factory=list)
    """Jobs of its chart."""


@dataclass(frozen=True)
class Maker:
    """Makes the objects of one component.

    Args:
        stack: whose component it is.
        resolved: the component.
        images: where its images come from.
        secrets: plans Secrets.
        known: returns what was rendered of charts.
    """

    stack: AIStack
    resolved: Resolved
    images: ImageSource
    secrets: SecretPlanner
    known: Known

    def make(self, context: Mapping[str, Any]) -> Made:
        """Return what the component is made of.

        Args:
            context: names that expressions may use.

        Raises:
            ChartNeededError: a chart must be rendered first.
            CatalogError: a template or the chart is broken, or makes what it may not.
            SpecError: a patch of the user's can't be applied.
        """
        r = self.resolved
        charted = self._chart(context) if r.component.chart else Made()
        made = [*self._templates(context), *charted.objects]
        result = self._patched(made)
        for problem in unserved(self.stack.name, r, result.objects):
            raise CatalogError(f"{r.component.folder}/component.yaml", problem)
        return Made(result.objects, charted.secrets, charted.actions)

    def _templates(self, context: Mapping[str, Any]) -> Iterator[Manifest]:
        component = self.resolved.component
        for file, source in component.templates.items():
            path = f"{component.folder}/templates/{file}"
            for manifest in render_template(path, source, context):
                for refusal in self._refusals(manifest):
                    raise CatalogError(path, refusal)
                yield manifest

    def _refusals(self, manifest: Manifest) -> Iterator[str]:
        r = self.resolved
        prefix = object_name(self.stack.name, r.name)
        yield from undeclared(r.component, manifest)
        yield from refusals(manifest, prefix, r.component.spec.workloads, self._images())

    def _images(self) -> frozenset[str]:
        return frozenset(self.images.reference(image) for image in self.resolved.component.spec.images.values())

    def _chart(self, context: Mapping[str, Any]) -> Made:
        r, source = self.resolved, self.resolved.component.chart
        if source is None:
            return Made()
        charted = Charted(self.stack, r, source)
        hooks = told_apart(charted.objects(context, self.known), charted.place)
        once = [self._once(m, charted) for m in hooks.objects if m["kind"] == "Secret"]
        fitter = Fitter(self.stack.name, r, {secret.base: secret.ref.name for secret in once})
        objects = fitter.fitted([m for m in hooks.objects if m["kind"] != "Secret"])
        self._refuse(objects, charted)
        hooks = Hooks([], *(fitter.renamed(jobs) for jobs in (hooks.before, hooks.beside, hooks.after)))
        jobs = actions(hooks, self.stack, r.name, [source.digest, r.version, r.values])
        self._refuse_jobs((job.manifest for job in jobs), charted)
        return Made(objects, once, jobs)

    def _refuse(self, objects: Iterable[Manifest], charted: Charted) -> None:
        for manifest in objects:
            for refusal in self._refusals(manifest):
                raise CatalogError(charted.place, f"chart: {refusal}")

    def _refuse_jobs(self, jobs: Iterable[Manifest], charted: Charted) -> None:
        prefix = object_name(self.stack.name, self.resolved.name)
        for job in jobs:
            name = job["metadata"]["name"]
            if not name.startswith(f"{prefix}-"):
                raise CatalogError(
                    charted.place, f"chart: makes the Job {name!r}, a name that isn't the component's own"
                )
            for problem in pod_refusals(pod_template(job) or {"spec": {"containers": []}}, self._images()):
                raise CatalogError(charted.place, f"chart: Job {name}: {problem}")

    def _once(self, manifest: Manifest, charted: Charted) -> CreateSecret:
        """Return a Secret of the chart's as one that is made once; others would hold values in every plan."""
        name, prefix = manifest["metadata"]["name"], object_name(self.stack.name, self.resolved.name)
        if name not in {in_release(known, prefix) for known in charted.source.chart.secrets}:
            raise CatalogError(
                charted.place,
                f"chart: makes the Secret {name}; describe it under `secrets` in component.yaml and name that in "
                "values.yaml.j2, or name it under chart.secrets to have it made once",
            )
        try:
            values = {key: base64.b64decode(text).decode() for key, text in manifest.get("data", {}).items()}
        except (binascii.Error, UnicodeDecodeError):
            raise CatalogError(charted.place, f"chart: Secret {name}: data holds what is no text") from None
        return self.secrets.once(name, manifest.get("type", "Opaque"), {**values, **manifest.get("stringData", {})})

    def _patched(self, made: list[Manifest]) -> Patched:
        patches = self._spec().patches
        if not patches:
            return Patched(made)

        def refuse(path: str, problem: str, remedy: str) -> SpecError:
            return SpecError(f"{self.resolved.field}.{path}", problem, remedy)

        result = patched(made, patches, refuse)
        for manifest in result.objects:
            i = result.by.get(ref_of(manifest))
            for refusal in self._refusals(manifest) if i is not None else ():
                raise SpecError(f"{self.resolved.field}.patches[{i}]", f"makes what isn't allowed: {refusal}")
        return result

    def _spec(self) -> ComponentSpec:
        return self.stack.spec.component(self.resolved.name)
