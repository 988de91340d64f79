"""Planning joined with what renders charts: a plan that needs a chart is made anew once that is rendered."""

from __future__ import annotations

from collections.abc import Callable
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
    return with_charts(lambda known: plan_stack(stack, catalog, Observed(), known=known), charts)


def with_charts(plan: Callable[[Known], Planned], charts: Charts | None = None) -> Planned:
    """Plan, and plan anew with each chart that turns out to be needed.

    Args:
        plan: plans with what is known of charts.
        charts: what renders them; by default that of this process.

    Raises:
        InvalidError: the stack or the catalog is wrong.
        NotReadyError: a chart can't be fetched or rendered here.
    """
    known: Known = nothing_known
    while True:
        try:
            return plan(known)
        except ChartNeededError as needed:
            charts = charts or shared_charts()
            charts.render(needed.request)
            known = charts.known
