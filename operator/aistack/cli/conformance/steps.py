"""The steps of the suite: what a component promises, and how each promise is tried."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aistack.api.labels import ROLE, component_labels
from aistack.api.parse import parse_stack
from aistack.catalog.models import Component, Destination
from aistack.cli.conformance.accepted import dry_run
from aistack.cli.conformance.combinations import Combination
from aistack.cli.conformance.connections import look
from aistack.cli.conformance.place import STACK, Place
from aistack.cli.conformance.sockets import Peer, undeclared
from aistack.cli.conformance.usage import compare
from aistack.cli.rendering import manifests
from aistack.cli.waiting import Goal
from aistack.errors import NonconformingError
from aistack.objects.manifest import Manifest, ref_of
from aistack.rendering import plan_new
from aistack.settings import KINDS

INTERNET: Destination = "internet"
KUBERNETES: Destination = "kubernetes"
Said = str
"""What a step has to say once it passed; empty: nothing."""


class SkippedError(Exception):
    """A step doesn't apply to this component; the message says why."""


@dataclass
class Trial:
    """One component, tried in one place.

    Args:
        place: where.
        component: which.
        combinations: the stacks to try it in, the usual one first.
    """

    place: Place
    component: Component
    combinations: tuple[Combination, ...]

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    @property
    def usual(self) -> Combination:
        """The stack with the first provider of each contract."""
        return self.combinations[0]


Do = Callable[[Trial], Awaitable[Said]]


@dataclass(frozen=True)
class Step:
    """One promise.

    Args:
        name: what is promised, in words.
        tier: the tier that needs it; empty: advice.
        do: tries it; raises NonconformingError where it isn't kept.
    """

    name: str
    tier: str
    do: Do


async def renders(trial: Trial) -> Said:
    """Plan the usual stack twice, and compare."""
    first, second = [await asyncio.to_thread(_rendered, trial) for _ in range(2)]
    if first != second:
        differ = [ref_of(a) for a, b in zip(first, second, strict=False) if a != b]
        raise NonconformingError(f"two renders differ: {', '.join(map(str, differ)) or 'in their number'}")
    return f"{len(first)} objects"


def _rendered(trial: Trial) -> list[Manifest]:
    metadata = {"name": STACK, "namespace": trial.place.namespace}
    spec = {"components": [{"name": name} for name in trial.usual]}
    stack = parse_stack({"apiVersion": "aistack.dev/v1alpha1", "kind": "AIStack", "metadata": metadata, "spec": spec})
    planned = plan_new(stack, trial.place.catalog)
    return [m for m in manifests(planned.plan) if _is_of(m, trial.name)]


def _is_of(manifest: Manifest, component: str) -> bool:
    wanted = component_labels(STACK, component)
    return all(manifest["metadata"].get("labels", {}).get(key) == value for key, value in wanted.items())


async def is_accepted(trial: Trial) -> Said:
    """Have the API server look at each object and at a pod of each workload, in a namespace for restricted pods."""
    return await dry_run(trial.place.client, trial.place.namespace, await asyncio.to_thread(_rendered, trial))


async def gets_ready(trial: Trial) -> Said:
    """Have the usual stack, and wait until it is ready and its connections are proven."""
    stack = await trial.place.run(trial.usual)
    (found,) = (c for c in stack.status.components if c.name == trial.name)
    return f"{found.name} {found.version} with {', '.join(n for n in trial.usual if n != trial.name) or 'nothing else'}"


async def provides(trial: Trial) -> Said:
    """Give an app a share of each contract that is provided, and let the contracts' proofs work with it."""
    contracts = [provide.contract for provide in trial.component.spec.provides]
    if not contracts:
        raise SkippedError("it provides nothing")
    for contract in contracts:
        await trial.place.bind(contract)
    edges = await _proven_for_apps(trial, len(contracts))
    return ", ".join(edges)


async def _proven_for_apps(trial: Trial, wanted: int) -> list[str]:
    """Wait until the apps' edges are there, and have all proven."""
    found: list[str] = []

    async def are_there() -> bool:
        stack = await trial.place.reach(Goal.READY)
        found[:] = [edge.name for edge in stack.status.edges if edge.consumer.startswith("app-to-")]
        return len(found) >= wanted

    await trial.place.until(are_there, "no share was made for an app")
    await trial.place.reach(Goal.PROVEN)
    await trial.place.prove()
    return found


async def connects(trial: Trial) -> Said:
    """Look at the pods' connections while all that uses them is proven; some may go anywhere, and say so."""
    pods = [pod for pod in await trial.place.pods(trial.name) if INTERNET not in _egress(trial, pod)]
    if not pods:
        raise SkippedError("it declares that all its pods connect to the internet")
    looks = (look(trial.place, pod, kubernetes=KUBERNETES in _egress(trial, pod)) for pod in pods)
    looking = [asyncio.create_task(each) for each in looks]
    await trial.place.prove()
    found = set[Peer]()
    for pod, (peers, allowed) in zip(pods, await asyncio.gather(*looking), strict=True):
        if foreign := undeclared(peers, allowed):
            name = pod["metadata"]["name"]
            raise NonconformingError(f"{name} connects to what isn't declared: {', '.join(map(str, foreign))}")
        found.update(peers)
    return f"{len(found)} addresses in {len(pods)} pods, all declared"


def _egress(trial: Trial, pod: Manifest) -> tuple[Destination, ...]:
    """Return where a pod's workload says that it connects to."""
    return trial.component.spec.workloads[pod["metadata"]["labels"][ROLE]].egress


async def uses(trial: Trial) -> Said:
    """Compare what the pods use with what they ask for."""
    return await compare(trial.place.client, await trial.place.pods(trial.name))


async def restarts(trial: Trial) -> Said:
    """Delete the pods, wait for others, and work with the shares of before: what claims made is data, too."""
    place, before = trial.place, await trial.place.claims()
    pods = await place.pods(trial.name)
    if not pods:
        raise SkippedError("it has no pods")
    for pod in pods:
        (await place.client.delete(ref_of(pod), pod["metadata"]["uid"])).result()
    await _replaced(trial, {pod["metadata"]["uid"] for pod in pods})
    return await _the_same(trial, before, f"{len(pods)} pods were replaced")


async def _replaced(trial: Trial, former: set[str]) -> None:
    async def are_others() -> bool:
        return not former & {pod["metadata"]["uid"] for pod in await trial.place.pods(trial.name)}

    await trial.place.until(are_others, "its pods weren't replaced")
    await trial.place.reach(Goal.READY)


async def _the_same(trial: Trial, claims: set[str], said: Said) -> Said:
    await trial.place.prove()
    if again := await trial.place.claims() - claims:
        raise NonconformingError(f"shares had to be made again ({len(again)}): what it kept of them was lost")
    return f"{said}, and the shares of before work"


async def upgrades(trial: Trial) -> Said:
    """Have the version before, then the newest one, with the same data."""
    versions = trial.component.spec.versions
    if len(versions) == 1:
        raise SkippedError("the catalog has one version of it")
    place, newest, former = trial.place, versions[0], versions[1]
    await place.clear()
    await place.run(trial.usual, **{trial.name: {"version": former}})
    claims = await place.claims()
    await place.run(trial.usual, **{trial.name: {"version": newest}})
    return await _the_same(trial, claims, f"from {former} to {newest}")


async def works_with_all(trial: Trial) -> Said:
    """Have it with each other provider of what it needs."""
    others = trial.combinations[1:]
    if not others:
        raise SkippedError("there is one provider of each contract that it needs")
    for names in others:
        await trial.place.clear()
        await trial.place.run(names)
    return "; ".join(" + ".join(names) for names in others)


async def goes(trial: Trial) -> Said:
    """Delete the stack, and look for what it left."""
    await trial.place.clear()
    found = [await trial.place.objects(kind, component_labels(STACK, trial.name)) for kind in KINDS]
    if left := [str(ref_of(manifest)) for some in found for manifest in some]:
        raise NonconformingError(f"left behind: {', '.join(left)}")
    return ""


STEPS: tuple[Step, ...] = (
    Step("renders the same twice", "rendered", renders),
    Step("is accepted where pods are restricted", "rendered", is_accepted),
    Step("gets ready from its image, its connections proven", "running", gets_ready),
    Step("provides what it says", "proven", provides),
    Step("connects to nothing undeclared", "proven", connects),
    Step("asks for what it uses", "", uses),
    Step("survives a restart with its data", "durable", restarts),
    Step("is upgraded from the version before", "durable", upgrades),
    Step("works with each provider of what it needs", "proven", works_with_all),
    Step("goes without a trace", "durable", goes),
)
"""In the order in which they are tried; after one that fails only those that don't need it."""
