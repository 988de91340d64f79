"""Which operator serves a stack: the first one that claims it, in ``status.operator``. No two ever work on one."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from aistack.api.conditions import Reason
from aistack.api.group import API_VERSION, KIND
from aistack.cluster.client import Client
from aistack.cluster.events import emit
from aistack.objects.manifest import Manifest, ObjectRef
from aistack.sharing import utc_now

log = structlog.get_logger(__name__)


class Serving:
    """Claims stacks for one operator.

    Args:
        client: writes claims.
        operator: what other operators know this one by: the namespace of its inventories.
        take_over: operators that are gone for good, whose stacks this one takes over.
    """

    def __init__(self, client: Client, operator: str, take_over: Iterable[str] = ()) -> None:
        self._client, self._operator = client, operator
        self._take_over = frozenset(take_over) - {operator}
        self._told: set[str] = set()
        """UIDs of stacks of others that were told of."""

    async def claim(self, live: Manifest) -> Manifest | None:
        """Make sure that a stack is this operator's before anything is done for it.

        Returns:
            The stack, after our write if there was one; None if another operator serves it.

        Raises:
            ClusterError: it couldn't be claimed; another operator may have been faster, so look again.
        """
        other = live.get("status", {}).get("operator", "")
        if other == self._operator:
            return live
        if other and other not in self._take_over:
            await self._tell(live, other)
            return None
        metadata = live["metadata"]
        # Of two operators that see the stack unclaimed, the version lets one alone write.
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": {"operator": self._operator}}
        ref = ObjectRef(API_VERSION, KIND, metadata["namespace"], metadata["name"])
        return (await self._client.merge(ref, patch, subresource="status")).result()

    async def _tell(self, live: Manifest, other: str) -> None:
        metadata = live["metadata"]
        if metadata["uid"] in self._told:
            return
        self._told.add(metadata["uid"])
        message = (
            f"the operator in namespace {self._operator} leaves it alone: the one in namespace {other} serves it. "
            f"Let each serve namespaces of its own (watchNamespaces), or uninstall one. If that in {other} is gone "
            f"for good, start this one with --take-over {other} (chart: takeOver)"
        )
        log.warning("stack of another operator", why=message)
        await emit(self._client, live, Reason.SERVED_BY_ANOTHER, message, utc_now(), warning=True)
