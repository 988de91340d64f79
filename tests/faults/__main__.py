"""``python -m tests.faults``: the whole matrix, or a part of it; prints what failed and how many cases there were."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from tests.cluster.controlplane import ControlPlane
from tests.faults.courses import COURSES
from tests.faults.matrix import AT_ONCE, Case, Report, name_of, prepared, some, try_course
from tests.faults.soak import soak
from tests.faults.stage import Plane
from tests.faults.world import POINTS, World


def main(
    course: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(COURSES)}, world; default: all.")] = None,
    of_each: Annotated[int, typer.Option(help="Cases of each fault and stage; default: all.")] = 0,
    stage: Annotated[list[str] | None, typer.Option(help="Stages whose cases are tried; default: all.")] = None,
    fault: Annotated[str, typer.Option(help="Only faults, or troubles of the world, whose name has this in it.")] = "",
    call: Annotated[str, typer.Option(help="Only calls whose name has this in it.")] = "",
    part: Annotated[str, typer.Option(help="A part of the cases, e.g. 2/8.")] = "1/1",
    notes: Annotated[Path | None, typer.Option(help="File of cases that passed: left out here, and added to.")] = None,
    at_once: Annotated[int, typer.Option(help="Lives at the same time.")] = AT_ONCE,
    points: Annotated[int, typer.Option(help="Calls at which each trouble of the world begins.")] = len(POINTS),
    seed: Annotated[int, typer.Option(help="Seed of the soak.")] = 1,
    minutes: Annotated[float, typer.Option(help="Length of the soak.")] = 5.0,
    verbose: Annotated[bool, typer.Option(help="Tell of every case.")] = False,
) -> None:
    """Try faults."""
    noted = set(notes.read_text("utf-8").splitlines()) if notes and notes.exists() else set()

    def pick(name: str, found: list[Case]) -> list[Case]:
        if stage and name not in stage:
            return []
        found = [case for case in found if fault in case.fault.name and call in str(case.point)]
        found = [case for case in found if name_of(name, case) not in noted]
        found = some(found, of_each) if of_each else found
        number, _, parts = part.partition("/")
        return found[int(number) - 1 :: int(parts)]

    def tell(text: str) -> None:
        if verbose or text.startswith("FAILED") or "without a fault" in text:
            print(text, flush=True)

    def passed(case: str) -> None:
        if notes:
            with notes.open("a", encoding="utf-8") as file:
                file.write(f"{case}\n")

    async def one(plane: Plane, name: str) -> Report:
        if name == "world":
            return await World(plane, tell, fault).run(points)
        if name == "soak":
            return await soak(plane, seed, minutes, at_once, tell)
        return await try_course(plane, name, pick, tell, passed, at_once)

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops it leaves no operator behind
    report = asyncio.run(_all(course or [*COURSES, "soak", "world"], one))
    print(report.text())
    sys.exit(bool(report.failures))


async def _all(courses: list[str], one: Callable[[Plane, str], Awaitable[Report]]) -> Report:
    report, started = Report(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="aistack-faults-"))
    print(f"logs of the operators: {folder}", flush=True)
    with ControlPlane() as cluster:
        async with prepared(cluster, folder) as plane:
            for name in courses:
                report.add(await one(plane, name))
    report.seconds = time.monotonic() - started
    return report


if __name__ == "__main__":
    typer.run(main)
