"""Which cluster a trial is in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aistack.cli.kubeconfig import current_context, has_context
from aistack.cli.session import Session
from aistack.cli.trial.kind import PREFIX, KindCluster
from aistack.cli.trial.steps import Steps
from aistack.errors import InvalidError
from aistack.images.tools import available

NAMESPACE = "ml"
"""Where the stack is unless another namespace is named."""


@dataclass(frozen=True)
class Place:
    """A cluster for a trial.

    ``kind`` is the kind cluster that it is, None for one of another making; ``own`` tells whether the trial may make
    and remove it.
    """

    session: Session
    kind: KindCluster | None
    own: bool


def place_of(session: Session, cluster: str, current: bool) -> Place:
    """Decide which cluster is meant; nothing is made or asked yet.

    Args:
        session: a context named there means that one.
        cluster: name of the kind cluster otherwise.
        current: the current context is meant.

    Raises:
        InvalidError: the current context is meant, and there is none.
    """
    session = replace(session, given_namespace=session.given_namespace or NAMESPACE)
    if not current and not session.context:
        return Place(session, KindCluster(cluster, session.kubeconfig), own=True)
    context = session.context or current_context(session.kubeconfig)
    if not context:
        raise InvalidError("--current: the kubeconfig has no current context; name one with --context")
    kind = KindCluster(context.removeprefix(PREFIX), session.kubeconfig)
    ours = context.startswith(PREFIX) and available("kind") and kind.exists()
    return Place(session, kind if ours else None, own=False)


def bring_up(place: Place, steps: Steps, config: str = "") -> Place:
    """Make the trial's own cluster, or start it again; another one is taken as it is.

    Args:
        place: the cluster.
        steps: where to tell.
        config: kind's configuration of a new one.

    Returns:
        The place, by the name of its context where that isn't the current one.

    Raises:
        ToolError: kind can't.
    """
    kind, session = place.kind, place.session
    if not place.own or kind is None:
        return place
    if kind.exists():
        with steps.step(f"the kind cluster {kind.name} is there", "some seconds", quiet=True):
            kind.start()
            if not has_context(kind.context, session.kubeconfig):
                kind.export()
    else:
        with steps.step(
            f"a kind cluster named {kind.name}", "about 1 min, and once the download of its node", quiet=True
        ):
            kind.create(config)
            steps.say(f"{kind.context} is the current context of your kubeconfig now")
    is_current = current_context(session.kubeconfig) == kind.context
    return replace(place, session=replace(session, context="" if is_current else kind.context))
