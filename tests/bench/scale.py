"""Many stacks at once: how memory, CPU, start and latency grow with 10, 100 and 1,000 stacks of 100 objects each."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.bench.api import CONFIG_MAPS, STACKS, Api, ready
from tests.bench.load import POLICIES, stack_manifest
from tests.bench.measure import QUIET, Audit, cpu_of, memory_of, reset_peak
from tests.bench.operator import Operator, define
from tests.cluster.controlplane import ControlPlane

CHILDREN = 100
NAMESPACES = 20
AGENTS = ("aistack", "kopf")
SAMPLE = 5.0
"""Seconds between looks at the memory."""
CHANGES, DRIFTS, EVENTS = 50, 200, 3000
RESULT = Path(__file__).resolve().parents[2] / "build" / "bench" / "scale.json"
console = Console()


@dataclass
class Scale:
    """One cluster in which the number of stacks grows."""

    plane: ControlPlane
    api: Api
    operator: Operator
    audit: Audit
    stacks: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)

    def grow(self, stacks: int, minutes: float) -> dict[str, Any]:
        """Make stacks until there are so many, and measure everything."""
        found: dict[str, Any] = {"stacks": stacks, "children": CHILDREN}
        self.told.append(found)
        self._step(found, "created", lambda: self._create(stacks))
        self._step(found, "cold", self._cold_start)
        self._step(found, "events", self._events)
        self._step(found, "change", lambda: _spread([self._change() for _ in range(CHANGES)]))
        self._step(found, "drift", lambda: _spread([self._drift() for _ in range(DRIFTS)]))
        self._step(found, "steady", lambda: self._steady(minutes))
        return found

    def _step(self, found: dict[str, Any], name: str, do: Callable[[], dict[str, Any]]) -> None:
        found[name] = do()
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(self.told, indent=1), "utf-8")  # at each step: it takes long
        console.print(f"{found['stacks']:5} stacks  {name}: {found[name]}", highlight=False)

    def _create(self, stacks: int) -> dict[str, Any]:
        before, added = cpu_of(self.operator.pid), stacks - self.stacks
        self._forget()
        started = time.perf_counter()
        for number in range(self.stacks, stacks):
            namespace, name = _place(number)
            self.api.make(STACKS.format(namespace), stack_manifest(namespace, CHILDREN, name))
        self.operator.settle(2, seconds=3600)
        seconds, self.stacks = time.perf_counter() - started, stacks
        return {
            "seconds": seconds,
            "per_second": added * CHILDREN / seconds,
            "cpu": cpu_of(self.operator.pid) - before,
            "calls": self._calls(),
            "peak": memory_of(self.operator.pid),
            "rss": memory_of(self.operator.pid, "VmRSS"),
        }

    def _cold_start(self) -> dict[str, Any]:
        """Start the operator anew; it is warm when each stack was passed over and nothing is left to do."""
        self.operator.daemon.stop()
        self._forget()
        started = time.perf_counter()
        self.operator.start()
        serves = time.perf_counter() - started
        while self.operator.passes < self.stacks:
            time.sleep(0.5)
        seen = time.perf_counter() - started
        self.operator.settle(2, seconds=3600)
        calls = self._calls()
        return {
            "seconds": seen,
            "serves": serves,
            "cpu": cpu_of(self.operator.pid),
            "calls": calls,
            "writes": sum(number for call, number in calls.items() if _writes(call)),
            "peak": memory_of(self.operator.pid),
            "rss": memory_of(self.operator.pid, "VmRSS"),
        }

    def _steady(self, minutes: float) -> dict[str, Any]:
        self._forget()
        reset_peak(self.operator.pid)
        before, samples, started = cpu_of(self.operator.pid), [], time.monotonic()
        while (passed := time.monotonic() - started) < minutes * 60:
            samples.append((passed, memory_of(self.operator.pid, "VmRSS")))
            if len(samples) % 12 == 0:
                console.print(f"  {passed / 60:.0f} min: {samples[-1][1]:.1f} MiB", highlight=False)
            time.sleep(SAMPLE)
        slope = statistics.linear_regression(*zip(*samples, strict=True)).slope * 3600 if len(samples) > 1 else 0.0
        return {
            "minutes": minutes,
            "cpu_percent": 100 * (cpu_of(self.operator.pid) - before) / passed,
            "rss": samples[-1][1],
            "peak": memory_of(self.operator.pid),
            "slope_mib_per_hour": slope,
            "calls": self._calls(),
            "samples": samples,
        }

    def _events(self) -> dict[str, Any]:
        """Edit what isn't ours on objects of ours: news that asks for no pass."""
        before, passes = cpu_of(self.operator.pid), self.operator.passes
        started = time.perf_counter()
        for turn in range(EVENTS):
            namespace, name = self._child()
            body = {"metadata": {"annotations": {"bench.example/turn": str(turn)}}}
            self.api.patch(f"{CONFIG_MAPS.format(namespace)}/{name}", body, "somebody")
        used, seconds = cpu_of(self.operator.pid) - before, time.perf_counter() - started
        return {
            "number": EVENTS,
            "passes": self.operator.passes - passes,
            "seconds": seconds,
            "microseconds_each": 1e6 * used / EVENTS,
        }

    def _change(self) -> float:
        """Change one field of a stack; seconds until its object has it, and the stack is Ready again."""
        namespace, name = _place(random.randrange(self.stacks))  # noqa: S311 - no cryptography
        collection, text = CONFIG_MAPS.format(namespace), str(time.time())
        with self.api.events(collection, f"{name}-load-first") as events:
            next(events)
            started = time.perf_counter()
            spec = stack_manifest(namespace, CHILDREN, name, note=text)["spec"]
            self.api.patch(f"{STACKS.format(namespace)}/{name}", {"spec": spec})
            for event in events:
                if event["object"]["data"]["note"] == text:
                    break
            found = time.perf_counter() - started
        self.api.wait(STACKS.format(namespace), name, ready)
        return found

    def _drift(self) -> float:
        """Edit an object as somebody else; seconds until it is as before."""
        namespace, name = self._child()
        collection = CONFIG_MAPS.format(namespace)
        with self.api.events(collection, name) as events:
            before = next(events)["object"]["data"]["seed"]
            started = time.perf_counter()
            self.api.patch(f"{collection}/{name}", {"data": {"seed": "drifted"}}, "somebody")
            edited = False
            for event in events:
                seed = event["object"]["data"]["seed"]
                if edited and seed == before:
                    break
                edited = edited or seed == "drifted"
            return time.perf_counter() - started

    def _child(self) -> tuple[str, str]:
        namespace, name = _place(random.randrange(self.stacks))  # noqa: S311 - no cryptography
        number = random.randrange(1, CHILDREN - POLICIES)  # noqa: S311 - no cryptography
        return namespace, f"{name}-load-item-{number}"

    def _forget(self) -> None:
        for _ in self.audit.news():
            pass

    def _calls(self) -> dict[str, int]:
        """Return the operator's requests since the last time, by verb and resource."""
        found: Counter[str] = Counter()
        for entry in self.audit.news():
            if str(entry.get("userAgent", "")).startswith(AGENTS):
                resource = dict(entry.get("objectRef") or {}).get("resource", "")  # type: ignore[call-overload]  # JSON
                found[f"{entry['verb']} {resource}"] += 1
        lasting = {call for call in found if call.split()[0] in QUIET}
        watches = sum(found.pop(call) for call in lasting)
        return {**dict(sorted(found.items())), **({"watch": watches} if watches else {})}


def _writes(call: str) -> bool:
    """Whether a request changes something; the Lease, which is renewed all the time, is told by itself."""
    verb, _, resource = call.partition(" ")
    return verb not in ("get", "list", "watch") and resource != "leases"


def _place(number: int) -> tuple[str, str]:
    return f"team-{number % NAMESPACES}", f"s{number}"


def _spread(seconds: list[float]) -> dict[str, Any]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98], "max": max(seconds), "number": len(seconds)}


def measure(steps: list[int], minutes: float) -> list[dict[str, Any]]:
    """Grow through the steps; steady for so many minutes at the last one, one minute at the others."""
    with tempfile.TemporaryDirectory(prefix="aistack-scale-") as made:
        folder = Path(made)
        with ControlPlane(folder / "plane", audit=True) as plane:
            api = Api(plane.kubeconfig, folder)
            define(plane, api, *(f"team-{number}" for number in range(NAMESPACES)))
            operator = Operator(plane, folder)
            operator.start()
            try:
                scale = Scale(plane, api, operator, Audit(plane.directory / "audit.log"))
                return [scale.grow(number, minutes if number == steps[-1] else 1) for number in steps]
            finally:
                operator.daemon.stop()


if __name__ == "__main__":
    import sys

    measure([int(n) for n in sys.argv[1].split(",")], float(sys.argv[2]))
