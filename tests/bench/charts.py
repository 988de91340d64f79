"""Charts: what rendering costs beside plain ``helm template`` of the same, and planning when it is cached."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from aistack.catalog.charts import ChartRequest
from aistack.catalog.models import Catalog
from aistack.objects.plan import Observed
from aistack.planning.charts import ChartNeededError
from aistack.planning.plan import plan_stack
from aistack.rendering import plan_new
from aistack.sources.charts import Charts
from aistack.sources.helm import KUBERNETES, Helm
from tests.chart.helm import helm
from tests.charts import SPEC, with_shop
from tests.golden import shipped
from tests.toy import stack

CASES = {"shop (tests)": (SPEC % "", with_shop)} | {
    f"{name} (catalog)": (f"{{components: [{{name: {name}}}]}}", shipped)
    for name, component in shipped().components.items()
    if component.chart
}
ROUNDS = 21


def charts() -> None:
    """Measure and print."""
    columns = ("chart", "read", "helm template", "render, cold", "ratio, at most 1.2", "plan, cached, at most 10 ms")
    table = Table(*columns, title="AIStack: charts")
    for name, (spec, catalog) in CASES.items():
        read, plain, cold = _cold(_request(spec, catalog()))
        cached = _milliseconds(_cached(spec, catalog()))
        table.add_row(name, *map(_milliseconds, (read, plain, cold)), f"{cold / plain:.2f}", cached)
    Console().print(table)


def _request(spec: str, catalog: Catalog) -> ChartRequest:
    try:
        plan_stack(stack(spec), catalog, Observed())
    except ChartNeededError as needed:
        return needed.request
    raise ValueError(f"no chart in {spec}")


def _cold(request: ChartRequest) -> tuple[float, float, float]:
    """Return medians, of one of each in each round: reading a chart, helm alone, a render that nothing is known of."""
    read, plain, cold = [], [], []
    command = [str(helm()), "template", request.release, str(request.source.folder), "--namespace", request.namespace]
    command += ["--kube-version", KUBERNETES, "--values", "-"]
    for _ in range(ROUNDS):
        plain.append(_seconds(lambda: subprocess.run(command, input=request.values, capture_output=True, check=True)))
        with tempfile.TemporaryDirectory() as folder:
            fresh = Charts(Helm(str(helm())), Path(folder))
            read.append(_seconds(lambda: fresh.facts(request.source)))  # noqa: B023 - called at once
            cold.append(_seconds(lambda: fresh.render(request)))  # noqa: B023 - called at once
    return statistics.median(read), statistics.median(plain), statistics.median(cold)


def _cached(spec: str, catalog: Catalog) -> float:
    """Return the median of planning a stack whose chart was rendered."""
    known = Charts(Helm(str(helm())))
    plan_new(stack(spec), catalog, known)
    asked = stack(spec)
    return statistics.median(
        _seconds(lambda: plan_stack(asked, catalog, Observed(), known=known.known)) for _ in range(ROUNDS)
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
