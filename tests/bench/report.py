"""What the samples say: medians, ratios to the limit, goals met or missed; as a table, a plot and JSON."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

LIMIT, OURS = "bare", "aistack"
OPERATIONS = {"create": "create", "again": "nothing to do", "change": "one field", "delete": "delete"}
Sample = Mapping[str, Any]


@dataclass(frozen=True)
class Samples:
    """All samples of one comparison."""

    all: tuple[Sample, ...]

    def of(self, contender: str, count: int, operation: str) -> dict[int, Sample]:
        """Return the samples of one operation, by run."""
        wanted = (contender, count, operation)
        return {s["run"]: s for s in self.all if (s["contender"], s["count"], s["operation"]) == wanted}

    def median(self, contender: str, count: int, operation: str, value: Callable[[Sample], float]) -> float:
        """Return the median of something over the runs."""
        return float(statistics.median(value(sample) for sample in self.of(contender, count, operation).values()))

    def ratio(self, contender: str, other: str, count: int, operation: str) -> float:
        """Return the median over the runs of the ratio of seconds to those of another contender in the same run."""
        ours, theirs = self.of(contender, count, operation), self.of(other, count, operation)
        both = ours.keys() & theirs.keys()
        return float(statistics.median(ours[run]["seconds"] / theirs[run]["seconds"] for run in both))

    def drift(self, contender: str, count: int) -> list[float]:
        """Return all latencies of repairs."""
        return [each for s in self.of(contender, count, "drift").values() for each in s["latencies"]]

    @property
    def contenders(self) -> list[str]:
        """Names, in the order in which they were named."""
        return list(dict.fromkeys(sample["contender"] for sample in self.all))

    @property
    def counts(self) -> list[int]:
        """Numbers of objects, without that of the warm-up."""
        return sorted({sample["count"] for sample in self.all if sample["run"] >= 0})


def calls(sample: Sample) -> float:
    """Return how many requests a sample took."""
    return float(sum(sample["calls"].values()))


def seconds(sample: Sample) -> float:
    """Return how long it took."""
    return float(sample["seconds"])


def show(samples: Samples, console: Console) -> None:
    """Print a table for each number of objects."""
    for count in samples.counts:
        table = Table(title=f"{count} objects (medians; x: of the bare client's time in the same run)")
        for column in ("contender", *OPERATIONS.values(), "drift p50 / p99", "calls", "CPU s", "MiB"):
            table.add_column(column, justify="left" if column == "contender" else "right", no_wrap=True)
        for contender in samples.contenders:
            table.add_row(contender, *_cells(samples, contender, count))
        console.print(table)


def _cells(samples: Samples, contender: str, count: int) -> Iterable[str]:
    for operation in OPERATIONS:
        taken = samples.median(contender, count, operation, seconds)
        yield f"{taken:.2f} s {samples.ratio(contender, LIMIT, count, operation):.2f}x"
    latencies = samples.drift(contender, count)
    yield "{:.2f} / {:.2f} s".format(*spread(latencies)) if latencies else "never"
    yield " ".join(f"{samples.median(contender, count, operation, calls):.0f}" for operation in OPERATIONS)
    yield " ".join(f"{samples.median(contender, count, o, lambda s: s['cpu']):.1f}" for o in OPERATIONS)
    yield f"{max(samples.median(contender, count, o, lambda s: s['memory']) for o in OPERATIONS):.0f}"


def spread(latencies: list[float]) -> tuple[float, float]:
    """Return the 50th and the 99th of a hundred."""
    if len(latencies) == 1:
        return latencies[0], latencies[0]
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return cuts[49], cuts[98]


def goals(samples: Samples) -> Iterable[tuple[str, str, str, bool]]:
    """Yield each goal that the comparison can tell of: what, the goal, what was measured, whether it is met."""
    small, large = samples.counts[0], samples.counts[-1]
    nothing = samples.median(OURS, small, "again", calls)
    yield f"API calls with nothing to do, {small} objects", "0", f"{nothing:.0f}", nothing == 0
    for count in samples.counts:
        made = samples.median(OURS, count, "create", calls)
        yield f"API calls to create {count} objects", "≤ N + 4", f"N + {made - count:.0f}", made <= count + 4
    for other, most in ((LIMIT, 1.3), ("kubectl", 0.6)):
        if other in samples.contenders:
            ratio = samples.ratio(OURS, other, large, "create")
            yield f"create {large} objects, of {other}'s time", f"≤ {most}x", f"{ratio:.2f}x", ratio <= most
    for count in samples.counts:
        half, most = spread(samples.drift(OURS, count))
        told = f"{half * 1000:.0f} ms, {most * 1000:.0f} ms"
        yield f"drift repaired, {count} objects", "p50 ≤ 300 ms, p99 ≤ 1 s", told, half <= 0.3 and most <= 1


def show_goals(rows: Iterable[tuple[str, str, str, bool]], console: Console) -> None:
    """Print which goals are met."""
    table = Table("what", "goal", "measured", "met", title="Figures to reach")
    for what, goal, measured, met in rows:
        table.add_row(what, goal, measured, "yes" if met else "NO")
    console.print(table)


def plot(samples: Samples, file: Path) -> None:
    """Draw seconds and requests of each contender, by operation."""
    mpl.rcParams["svg.hashsalt"] = "bench"
    figure = Figure(figsize=(11, 4 * len(samples.counts)), layout="constrained")
    panes = figure.subplots(len(samples.counts), 2, squeeze=False)
    for count, (times, requests) in zip(samples.counts, panes, strict=True):
        _bars(times, samples, count, seconds, f"{count} objects: seconds")
        _bars(requests, samples, count, calls, f"{count} objects: API calls")
    figure.legend(*panes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=len(samples.contenders))
    figure.savefig(file, metadata={"Date": None})


def _bars(pane: Any, samples: Samples, count: int, value: Callable[[Sample], float], title: str) -> None:
    names, width = samples.contenders, 0.8 / len(samples.contenders)
    for at, name in enumerate(names):
        places = [number + at * width for number in range(len(OPERATIONS))]
        heights = [samples.median(name, count, operation, value) for operation in OPERATIONS]
        pane.bar(places, heights, width, label=name)
    pane.set_title(title)
    pane.set_yscale("symlog", linthresh=0.1 if value is seconds else 1)
    pane.set_xticks([number + 0.4 - width / 2 for number in range(len(OPERATIONS))], list(OPERATIONS.values()))
