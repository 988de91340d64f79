"""Proofs: the Job that tries, as a consumer, all edges of one identity by real work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aistack.api.labels import identity_labels
from aistack.api.names import object_name
from aistack.api.spec import AIStack
from aistack.api.wiring import OFF, seconds_of
from aistack.catalog.models import Catalog, Resources
from aistack.objects.manifest import Manifest, content_hash
from aistack.objects.plan import CreateSecret, RunProof
from aistack.planning.claims import Claim, job
from aistack.planning.context import container_resources
from aistack.planning.images import ImageSource
from aistack.planning.networks import edge_identity
from aistack.planning.programs import binding_volume, container, programs
from aistack.planning.wire import Edge

RESOURCES = Resources(cpu="20m", memory="64Mi", memoryLimit="96Mi")
EDGE_SECONDS = 120
"""What the program gives each edge."""
START_SECONDS = 120
"""How long the pod may take to start."""


@dataclass(frozen=True)
class Proof:
    """What the proof of one identity needs: its ConfigMap (programs) and its Job."""

    key: str
    edges: tuple[Edge, ...]
    config: Manifest
    job: Manifest

    def step(self, stack: AIStack, *, gates: bool) -> RunProof:
        """Return the Job as a proof.

        Args:
            stack: says how often, and whether somebody asks for it now.
            gates: whether workloads wait for it.
        """
        keys = tuple(edge.key for edge in self.edges)
        return RunProof(
            key=self.key,
            manifest=self.job,
            edges=keys,
            after=tuple(sorted({unit for edge in self.edges for unit in edge.units})),
            every=seconds_of(stack.spec.proofs.every),
            on_change=stack.spec.proofs.every != OFF,
            token=asked_for(stack, keys),
            gates=gates,
        )


def asked_for(stack: AIStack, edges: Iterable[str]) -> str:
    """Return the annotation that asks for a proof now, unless it names another edge; empty for none."""
    _, _, edge = stack.prove_asked.partition(" ")
    return stack.prove_asked if not edge or edge in edges else ""


def proofs(
    stack: str,
    edges: Sequence[Edge],
    claims: Sequence[Claim],
    shares: Mapping[str, CreateSecret],
    accounts: Mapping[str, str],
    catalog: Catalog,
    images: ImageSource,
) -> list[Proof]:
    """Make the proofs of one consumer: one for each identity that its pods have.

    Args:
        stack: the stack's name.
        edges: the consumer's edges.
        claims: their claims; a share of the user's own has none.
        shares: its shares, by the edge's name.
        accounts: service accounts of its pods, by identity.
        catalog: has the programs and the runner.
        images: where the runner's image comes from.
    """
    # The name of a claim's Job stands for all that the claim was given.
    made = {c.edge.key: c.job["metadata"]["name"] for c in claims}
    by_identity: dict[str, list[Edge]] = {}
    for edge in edges:
        by_identity.setdefault(edge_identity(edge), []).append(edge)
    secrets = {name: share.ref.name for name, share in shares.items()}
    return [
        _proof(stack, identity, found, secrets, made, accounts.get(identity, ""), catalog, images)
        for identity, found in by_identity.items()
    ]


def _proof(
    stack: str,
    identity: str,
    edges: Sequence[Edge],
    shares: Mapping[str, str],
    claimed: Mapping[str, str],
    account: str,
    catalog: Catalog,
    images: ImageSource,
) -> Proof:
    name = object_name(stack, *identity.split("."), "prove")
    image = images.reference(catalog.runner)
    program = programs(catalog, [catalog.contracts[e.contract] for e in edges])
    names = [e.require.edge for e in edges]
    given = [claimed.get(e.key, shares[e.require.edge]) for e in edges]
    inputs = content_hash([program.texts, given, image, account], 8)
    arguments = ["prove", *(f"{e.require.edge}={e.contract}" for e in edges)]
    pod = {
        "restartPolicy": "Never",
        "containers": [container("prove", image, arguments, names, container_resources(RESOURCES))],
        "volumes": [*(binding_volume(edge, shares[edge]) for edge in names), program.volume(name)],
    }
    if account:
        pod["serviceAccountName"] = account
    made = job(object_name(name, inputs), pod, identity_labels(stack, identity))
    seconds = START_SECONDS + EDGE_SECONDS * len(edges)
    made["spec"] |= {"backoffLimit": 0, "activeDeadlineSeconds": seconds}
    return Proof(identity, tuple(edges), program.config(name), made)
