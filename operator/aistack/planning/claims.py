"""Claims: the Job that makes a provider accept one consumer's share."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from aistack.api.labels import COMPONENT, EDGE, SPAWNED, identity_labels
from aistack.api.names import object_name
from aistack.catalog.models import Catalog, Resources
from aistack.objects.manifest import Manifest, content_hash
from aistack.objects.plan import Observed, RunAction
from aistack.planning.context import container_resources
from aistack.planning.images import ImageSource
from aistack.planning.networks import edge_identity
from aistack.planning.programs import binding_volume, container, programs
from aistack.planning.wire import Edge

RESOURCES = Resources(cpu="20m", memory="64Mi", memoryLimit="256Mi")
DEADLINE_SECONDS = 300
"""A claim that takes longer has failed."""
KEEP_SECONDS = 600
"""How long a finished Job stays to be looked at."""


@dataclass(frozen=True)
class Claim:
    """What one claim needs: its ConfigMap (program) and its Job."""

    edge: Edge
    config: Manifest
    job: Manifest

    def action(self, *, blocking: bool) -> RunAction:
        """Return the Job as an action.

        Args:
            blocking: whether the consumer's own workloads need the share from the start.
        """
        # Two claims at once would change the provider's list of users at once, and one of them could be lost.
        return RunAction(self.edge.key, self.job, self.edge.units, blocking, exclusive=self.edge.provider)


def claim(
    stack: str, edge: Edge, catalog: Catalog, images: ImageSource, admin: str, share: str, observed: Observed
) -> Claim:
    """Make the claim of an edge.

    Args:
        stack: the stack's name.
        edge: whose share of what.
        catalog: has the claim's program and the runner.
        images: where the runner's image comes from.
        admin: name of the provider's admin binding.
        share: name of the consumer's share.
        observed: tells the provider's volumes; with new volumes the share must be claimed anew.
    """
    contract = catalog.contracts[edge.contract]
    name = object_name(stack, edge.consumer, edge.require.edge, "claim")
    image = images.reference(catalog.runner)
    program = programs(catalog, [contract], leave_out="prove.py")
    inputs = content_hash([program.texts, admin, share, image, _volumes(edge.provider, observed)], 8)
    bindings = {"admin": admin, "share": share}
    pod = {
        "restartPolicy": "Never",
        "containers": [container("claim", image, ["claim", contract.name], bindings, container_resources(RESOURCES))],
        "volumes": [*(binding_volume(*b) for b in bindings.items()), program.volume(name)],
    }
    return Claim(edge, program.config(name), job(object_name(name, inputs), pod, _labels(stack, edge)))


def retirement(stack: str, claim: Claim) -> RunAction:
    """Return the action that ends a share's former generations.

    Args:
        stack: the stack's name.
        claim: that of the generation which stays.
    """
    return _instead(stack, claim, "retire")


def revocation(stack: str, claim: Claim) -> RunAction:
    """Return the action that ends all generations of a share; what they made stays.

    Args:
        stack: the stack's name.
        claim: that of the newest generation.
    """
    return _instead(stack, claim, "revoke")


def _instead(stack: str, claim: Claim, function: str) -> RunAction:
    """Return the action that does something else with the same bindings."""
    job, edge = deepcopy(claim.job), claim.edge
    inputs = job["metadata"]["name"].rpartition("-")[2]
    job["metadata"]["name"] = object_name(stack, edge.consumer, edge.require.edge, function, inputs)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container["name"] = function
    container["command"] = [function if word == "claim" else word for word in container["command"]]
    return RunAction(f"{edge.key}/{function}", job, edge.units, exclusive=edge.provider)


def _labels(stack: str, edge: Edge) -> dict[str, str]:
    return {**identity_labels(stack, edge_identity(edge)), EDGE: f"{edge.consumer}.{edge.require.edge}"}


def _volumes(provider: str, observed: Observed) -> list[str]:
    """Return the identities of the provider's volumes: data lost and made anew lacks every share."""
    volumes = (o["metadata"] for ref, o in observed.objects.items() if ref.kind == "PersistentVolumeClaim")
    labelled = ((m["uid"], m.get("labels", {})) for m in volumes)
    return sorted(uid for uid, labels in labelled if labels.get(COMPONENT) == provider and SPAWNED not in labels)


def job(name: str, pod: dict[str, Any], labels: Mapping[str, str]) -> Manifest:
    """Return a Job that runs a pod to its end."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "backoffLimit": 2,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": KEEP_SECONDS,
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    }
