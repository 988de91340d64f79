"""Hooks of charts: Jobs before and after a release as actions, in the order of their weights; tests are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aistack.api.labels import identity_labels
from aistack.api.names import object_name
from aistack.api.spec import AIStack
from aistack.catalog.models import Resources
from aistack.errors import CatalogError
from aistack.objects.manifest import Manifest, ObjectRef, content_hash, copied
from aistack.objects.plan import RunAction
from aistack.planning.claims import KEEP_SECONDS
from aistack.planning.context import container_resources
from aistack.planning.pods import containers

_KEY = "/hook/"
"""Part of the keys of these actions: ``<component>/hook/<Job>``."""
_HOOK, _WEIGHT, _POLICY = "helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy"
_BEFORE = frozenset({"pre-install", "pre-upgrade"})
_AFTER = frozenset({"post-install", "post-upgrade"})
_NEVER = frozenset({"test", "test-success", "test-failure"})
_AT_ITS_END = frozenset({"pre-delete", "post-delete", "pre-rollback", "post-rollback"})
_SOON_SECONDS = 60
"""How long a Job stays that is to go once it succeeded: the operator must see that it did."""
_RESOURCES = Resources(cpu="20m", memory="64Mi", memoryLimit="256Mi")


@dataclass(frozen=True)
class Hooks:
    """A chart's objects, told apart."""

    objects: list[Manifest] = field(default_factory=list)
    """What is applied and kept."""
    before: list[Manifest] = field(default_factory=list)
    """Jobs before the workloads, in their order."""
    beside: list[Manifest] = field(default_factory=list)
    """Jobs that are no hooks: with the workloads."""
    after: list[Manifest] = field(default_factory=list)
    """Jobs once the workloads are healthy, in their order."""


def job_of(key: str) -> str:
    """Return the chart's Job that an action runs; empty for a claim."""
    return key.partition(_KEY)[2]


def told_apart(objects: Iterable[Manifest], place: str) -> Hooks:
    """Tell a chart's Jobs and hooks from what is applied and kept.

    Args:
        objects: what the chart makes.
        place: the file to blame.

    Raises:
        CatalogError: a hook asks for a moment that the operator doesn't know.
    """
    result = Hooks()
    for manifest in sorted(objects, key=_order):
        events = _events(manifest)
        if events & _NEVER:
            continue
        if problem := _problem(manifest, events):
            name = f"{manifest['kind']} {manifest['metadata']['name']}"
            raise CatalogError(place, f"chart: {name}: metadata.annotations[{_HOOK}] {problem}")
        if manifest["kind"] != "Job":
            result.objects.append(manifest)
        else:
            (result.before if events & _BEFORE else result.after if events else result.beside).append(manifest)
    return result


def _problem(manifest: Manifest, events: frozenset[str]) -> str:
    without = "leave its template out by chart.without"
    if ending := sorted(events & _AT_ITS_END):
        return f"names {ending[0]!r}, and nothing of a stack runs when it goes or goes back; {without}"
    if events & _BEFORE and events & _AFTER:
        return f"names moments before and after a release; write two Jobs, or {without}"
    if manifest["kind"] == "Job" and events and not events & {"pre-install", "post-install"}:
        return f"names upgrades alone, which the operator doesn't tell from a first installation; {without}"
    return ""


def _events(manifest: Manifest) -> frozenset[str]:
    text = str(manifest["metadata"].get("annotations", {}).get(_HOOK, ""))
    return frozenset(event.strip() for event in text.split(",") if event.strip())


def _order(manifest: Manifest) -> tuple[int, str, str]:
    weight = str(manifest["metadata"].get("annotations", {}).get(_WEIGHT, "0"))
    try:
        return int(weight), manifest["kind"], manifest["metadata"]["name"]
    except ValueError:
        return 0, manifest["kind"], manifest["metadata"]["name"]


def actions(hooks: Hooks, stack: AIStack, component: str, inputs: object) -> list[RunAction]:
    """Return the Jobs of a chart as actions.

    Args:
        hooks: the chart's objects.
        stack: whose they are.
        component: the component's name.
        inputs: plain data that changes with each release: then they run again.
    """

    def made(jobs: Sequence[Manifest], **how: Any) -> Iterator[RunAction]:
        follows: tuple[ObjectRef, ...] = ()
        for job in jobs:
            key = f"{component}{_KEY}{job['metadata']['name']}"
            step = RunAction(key, _named(job, stack, component, inputs), follows=follows, **how)
            follows = (step.ref,)
            yield step

    return [
        *made(hooks.before),
        *(step for job in hooks.beside for step in made([job], blocking=False)),
        *made(hooks.after, blocking=False, late=True),
    ]


def following(jobs: Iterable[RunAction], claims: Iterable[RunAction]) -> list[RunAction]:
    """Return a chart's Jobs as such that start once the component's claims have succeeded, as they may use its shares.

    Args:
        jobs: each follows the one before it, or none.
        claims: those of the component whose pods need them from the start.
    """
    first = tuple(claim.ref for claim in claims if claim.blocking)
    return [job if job.follows else replace(job, follows=first) for job in jobs]


def _named(job: Manifest, stack: AIStack, component: str, inputs: object) -> Manifest:
    """Return a Job with a name of its own for each input, and what every Job of a stack has."""
    again = not _events(job) or bool(_events(job) & {"pre-upgrade", "post-upgrade"})
    made = copied(job)
    metadata, spec = made["metadata"], made["spec"]
    metadata["name"] = object_name(metadata["name"], content_hash([job, inputs], 8) if again else "once")
    metadata["namespace"] = stack.namespace
    for labelled in (metadata, spec["template"].setdefault("metadata", {})):
        labelled["labels"] = {**labelled.get("labels", {}), **identity_labels(stack.name, component)}
    for container in containers(spec["template"]["spec"]):
        if not container.get("resources"):
            container["resources"] = container_resources(_RESOURCES)
    annotations = metadata.pop("annotations", {})
    soon = "hook-succeeded" in str(annotations.get(_POLICY, ""))
    if kept := {key: value for key, value in annotations.items() if not key.startswith("helm.sh/")}:
        metadata["annotations"] = kept
    spec["ttlSecondsAfterFinished"] = _SOON_SECONDS if soon else KEEP_SECONDS
    return made
