"""Planning off the event loop, and recent plans kept: the same stack in the same world isn't rendered twice.

A plan that needs a chart is made anew once that is rendered, in threads of charts' own: a slow one holds up no other
stack.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from aistack.api.binding import AIBinding
from aistack.api.spec import AIStack
from aistack.api.status import AIStackStatus
from aistack.catalog.models import Catalog
from aistack.objects.plan import Observed, OwnerKey
from aistack.planning.charts import ChartNeededError
from aistack.planning.plan import Planned, plan_stack
from aistack.rendering import shared_charts
from aistack.sources.charts import Charts

OBJECTS = 2_000
"""Most objects of all plans that are kept: some 6 MiB."""


RENDERERS = 4
"""Most charts that are fetched or rendered at once."""


@dataclass(frozen=True)
class _Inputs:
    """All that planning looks at, besides the catalog."""

    stack: AIStack
    observed: Observed
    bindings: tuple[AIBinding, ...]


class Plans:
    """Plans stacks.

    Args:
        objects: most objects of all plans that are kept; the plan that wasn't asked for longest goes first.
        charts: what renders charts; by default that of this process.
    """

    def __init__(self, objects: int = OBJECTS, charts: Charts | None = None) -> None:
        self._limit, self._charts = objects, charts or shared_charts()
        self._renderers = ThreadPoolExecutor(RENDERERS, "charts")
        self._kept: OrderedDict[OwnerKey, tuple[_Inputs, Planned, int]] = OrderedDict()
        self._objects = 0

    async def plan(
        self, stack: AIStack, catalog: Catalog, observed: Observed, bindings: Sequence[AIBinding]
    ) -> Planned:
        """Plan a stack, or return what was planned before for the very same inputs.

        Of the catalog, what counts is the parts that the plan was made from: others come and go.

        Raises:
            InvalidError: the stack or the catalog is wrong.
            NotReadyError: a Secret that it names isn't there yet, or a chart can't be fetched or rendered now.
        """
        key = stack.namespace, stack.name
        # Nothing is planned from what a stack says of itself.
        inputs = _Inputs(stack.model_copy(update={"status": AIStackStatus()}), observed, tuple(bindings))
        known = self._kept.get(key)
        if known is not None and known[0] == inputs and _is_of(known[1], catalog):
            self._kept.move_to_end(key)
            return replace(known[1], stack=stack)
        planned = await self._plan(stack, catalog, observed, bindings)
        self._keep(key, inputs, planned)
        return planned

    async def _plan(
        self, stack: AIStack, catalog: Catalog, observed: Observed, bindings: Sequence[AIBinding]
    ) -> Planned:
        known = self._charts.known
        while True:
            try:
                return await asyncio.to_thread(plan_stack, stack, catalog, observed, bindings, known)
            except ChartNeededError as needed:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._renderers, self._charts.render, needed.request)

    def _keep(self, key: OwnerKey, inputs: _Inputs, planned: Planned) -> None:
        if former := self._kept.pop(key, None):
            self._objects -= former[2]
        size = sum(1 for unit in planned.plan.units for _ in (*unit.objects(), *unit.jobs()))
        self._kept[key] = inputs, planned, size
        self._objects += size
        while self._objects > self._limit:
            _, (_, _, size) = self._kept.popitem(last=False)
            self._objects -= size


def _is_of(planned: Planned, catalog: Catalog) -> bool:
    """Tell whether a plan's parts are in a catalog, as they were when it was planned, and can be used."""
    if planned.parts & catalog.awaited.keys() or not planned.parts <= catalog.parts.keys():
        return False
    same = catalog.digest_of(planned.parts) == planned.catalog_digest
    return same and catalog.release == planned.release
