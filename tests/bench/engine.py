"""The comparison: all contenders on one API server in one run, one after the other in each round."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.bench.api import Api
from tests.bench.contenders import Bare, Contender, Kubectl, Ours, bare_process
from tests.bench.measure import Audit, Cost, measured
from tests.bench.operator import Operator, define
from tests.bench.others import FluxWatch, Helm, flux_versions, helm_version
from tests.bench.report import OPERATIONS
from tests.cluster.controlplane import ControlPlane
from tests.flux.controllers import Flux
from tests.flux.repository import git_server
from tests.journey.kube import Kube

WARM_UP = 10
console = Console()


@contextmanager
def arena(names: list[str]) -> Iterator[tuple[ControlPlane, list[Contender]]]:
    """Start an API server with all contenders beside it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aistack-bench-")))
        plane = stack.enter_context(ControlPlane(folder / "plane", audit=True))
        api = Api(plane.kubeconfig, folder)
        define(plane, api, *(f"bench-{name}" for name in names))
        yield plane, [_contender(name, plane, api, folder, stack) for name in names]


def _contender(name: str, plane: ControlPlane, api: Api, folder: Path, stack: ExitStack) -> Contender:
    common = (plane, api, folder)
    match name:
        case "aistack":
            operator = Operator(plane, folder)
            operator.start()
            stack.callback(operator.daemon.stop)
            return Ours(name, ("aistack", "kopf"), *common, watches=True, edits=20, operator=operator)
        case "bare":
            process = stack.enter_context(bare_process(plane.kubeconfig))
            return Bare(name, ("bare",), *common, process=process)
        case "kubectl":
            return Kubectl(name, ("kubectl",), *common)
        case "helm":
            return Helm(name, ("Helm", "helm"), *common)
        case "flux":
            url = stack.enter_context(git_server(folder / "git"))
            flux = stack.enter_context(Flux(Kube(plane.kubectl, plane.kubeconfig), folder).running())
            return FluxWatch(name, ("kustomize-controller", "source-controller"), *common, edits=3, flux=flux, git=url)
        case _:
            raise ValueError(name)


def compare(names: list[str], counts: list[int], runs: int, minutes: float) -> Iterator[dict[str, Any]]:
    """Run all rounds, and yield every sample so far after each of them.

    Args:
        names: the contenders.
        counts: numbers of objects.
        runs: rounds for each of them.
        minutes: after so many no further round begins; each number of objects gets one in any case.
    """
    samples: list[dict[str, Any]] = []
    started = time.monotonic()
    with arena(names) as (plane, contenders):
        audit = Audit(plane.directory / "audit.log")
        for contender in contenders:  # connections, watches and caches: not of interest here
            contender.prepare(WARM_UP)
            _round(contender, audit, plane, WARM_UP, -1)
        for count in counts:
            for contender in contenders:
                contender.prepare(count)
            for turn in range(runs):
                if turn and time.monotonic() - started > minutes * 60:
                    break
                for contender in _in_turn(contenders, turn):
                    samples += _round(contender, audit, plane, count, turn)
                told = {"load": os.getloadavg(), "seconds": time.monotonic() - started, "samples": samples}
                yield {"machine": _machine(plane), **told}


def _in_turn(contenders: list[Contender], turn: int) -> list[Contender]:
    """Return them in another order in each round: whoever follows a busy one has it harder."""
    first = turn % len(contenders)
    return contenders[first:] + contenders[:first]


def _round(contender: Contender, audit: Audit, plane: ControlPlane, count: int, turn: int) -> list[dict[str, Any]]:
    """Let one contender do everything once."""
    servers = [pid for name, pid in plane.pids.items() if name != "kube-controller-manager"]
    found: list[dict[str, Any]] = []

    def note(operation: str, **told: Any) -> None:
        found.append({"contender": contender.name, "count": count, "run": turn, "operation": operation, **told})

    contender.reset()
    for operation in OPERATIONS:
        if operation == "delete":
            note("drift", latencies=list(contender.drift()))
        with measured(audit, contender.agents, contender.pids, servers) as cost:
            getattr(contender, operation)(cost)
        _check(contender, operation)
        note(operation, **asdict(cost))
        console.print(f"  {count:5} {turn} {contender.name:8} {operation:7} {_line(cost)}", highlight=False)
    return found


def _check(contender: Contender, operation: str) -> None:
    wanted = 0 if operation == "delete" else contender.count
    found = contender.objects()
    if found != wanted:
        raise RuntimeError(f"{contender.name} {operation}: {found} objects, not {wanted}")


def _line(cost: Cost) -> str:
    calls = " ".join(f"{verb}={number}" for verb, number in sorted(cost.calls.items()))
    used = f"cpu {cost.cpu:6.2f}  server {cost.server_cpu:6.2f}  {cost.memory:6.0f} MiB"
    return f"{cost.seconds:7.2f} s  {used}  {cost.total_calls} calls {calls}"


def _machine(plane: ControlPlane) -> dict[str, Any]:
    versions = {"kubernetes": plane.version, "helm": helm_version(), "flux": flux_versions()}
    return {**versions, "python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
