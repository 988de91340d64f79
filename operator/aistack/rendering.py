"""Planning joined with what renders charts: a plan that needs a chart is made anew once that is rendered."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from aistack.api.spec import AIStack
from aistack.catalog.models import Catalog
from aistack.objects.plan import Observed
from aistack.planning.charts import ChartNeededError, Known, nothing_known
from aistack.planning.plan import Planned, plan_stack

if TYPE_CHECKING:
    from aistack.sources.charts import Charts


@cache
def shared_charts() -> Charts:
    """Return what renders charts in this process."""
    from aistack.sources.charts import Charts  # most stacks have none

    return Charts()


def plan_new(stack: AIStack, catalog: Catalog, charts: Charts | None = None) -> Planned:
    """Plan a stack for a first installation; blocks while its charts are fetched and rendered.

    Args:
        stack: what the user asks for.
        catalog: what can be installed.
        charts: what renders its charts; by default that of this process.

    Raises:
        InvalidError: the stack or the catalog is wrong.
        NotReadyError: a chart can't be fetched or rendered here.
    """
    known: Known = nothing_known
    while True:
        try:
            return plan_stack(stack, catalog, Observed(), known=known)
        except ChartNeededError as needed:
            charts = charts or shared_charts()
            charts.render(needed.request)
            known = charts.known
