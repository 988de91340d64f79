"""What a trial puts onto its cluster: images and the operator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aistack.catalog.locate import catalog_folder
from aistack.cli.trial.place import Place
from aistack.cli.trial.release import NAME, Release, definitions_are_others, running_elsewhere
from aistack.cli.trial.steps import Steps
from aistack.cli.voice import aside
from aistack.errors import InvalidError
from aistack.images import BuildPlan, build, default_cache, load, open_workshop, standard_plan, states
from aistack.images.nodes import identity
from aistack.settings import OPERATOR_NAMESPACE
from aistack.surroundings import definitions_problem

OPERATOR = "operator"
"""Name of the operator's image."""
_MARK = "aistack.dev/image"


def bring_images(place: Place, steps: Steps, registry: str) -> dict[str, Any]:
    """Put images onto the nodes of a kind cluster, built here where they aren't; nodes pull those of a registry.

    Args:
        place: the cluster.
        steps: where to tell.
        registry: what ``aistack images push`` was told; empty for images that are built here.

    Returns:
        What the chart must know of them.

    Raises:
        InvalidError: there is no way for images to get to that cluster's nodes.
        ToolError: building or loading failed.
    """
    if registry:
        return {"images.registry": registry}
    if place.kind is None:
        raise InvalidError(
            "images can be loaded into kind's nodes alone: push them for this cluster "
            "(aistack images push --registry REGISTRY), then name them: --registry REGISTRY"
        )
    plan = _plan(place)
    missing = sum(1 for state in states(plan) if not state.built)
    with steps.step("images, built here and loaded into the nodes", _estimate(missing)):
        with open_workshop(default_cache(), aside) as shop:
            _tell(steps, build(plan, shop))
        _tell(steps, load(plan, cluster=place.kind.name))
    # The operator's tag stays while its content changes: the mark has Kubernetes start it anew.
    return {"podAnnotations": {_MARK: identity(plan.step(OPERATOR).archive)[1]}}


async def bring_operator(place: Place, steps: Steps, values: dict[str, Any]) -> None:
    """Install the operator's chart, or upgrade to it; an operator that somebody else installed stays as it is.

    Raises:
        AIStackError: the cluster or helm refuses.
    """
    async with place.session.client() as client:
        other = await running_elsewhere(client)
        others = not other and await definitions_are_others(client)
        if others and (problem := await definitions_problem(client)):
            raise InvalidError(problem)
    if other:
        steps.say(f"an operator runs already: {other}; it is used as it is")
        return
    with steps.step(f"the operator: release {NAME} in {OPERATOR_NAMESPACE}", "some 10 s", quiet=True):
        if others:
            steps.say("the definitions of our kinds are somebody else's and stay theirs")
        Release(place.session).install(values | ({"crds.install": False} if others else {}))


def _plan(place: Place) -> BuildPlan:
    plan = standard_plan(catalog_folder(place.session.catalog_folder))
    if OPERATOR not in {step.image.name for step in plan.steps}:
        raise InvalidError("the operator's image is built in a checkout alone: run this there, or name a --registry")
    return plan


def _estimate(missing: int) -> str:
    return f"{missing} to build, about a minute each" if missing else "all built"


def _tell(steps: Steps, events: Iterable[object]) -> None:
    """Tell what is done; what was there already is nothing to read."""
    for event in events:
        if not str(event).partition(": ")[2].startswith(("unchanged", "there already")):
            steps.say(event)
