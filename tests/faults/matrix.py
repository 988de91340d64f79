"""The matrix: every scenario, every call of it, every fault that can happen to that call; and runs that try them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aistack.api.crd import DEFINITIONS, crd_manifest
from aistack.cluster.client import Client
from aistack.errors import ClusterError
from tests.cluster.controlplane import ControlPlane
from tests.faults.calls import Point
from tests.faults.courses import COURSES, CREATE
from tests.faults.hands import STACK, Hands
from tests.faults.kinds import FAULTS, Fault, faults_at
from tests.faults.life import Life
from tests.faults.proxy import Armed, connected
from tests.faults.stage import BrokenError, Met, Plane, Stage

AT_ONCE = 6
"""Lives at the same time."""
HEARTBEATS = 2
"""Calls of each kind about the Lease that meet faults: how many there are is a matter of time alone."""
_serial = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """One fault at one call."""

    fault: Fault
    point: Point

    def __str__(self) -> str:
        return f"{self.fault} at {self.point}"


@dataclass(frozen=True)
class Failure:
    """A case that didn't end as it should."""

    stage: str
    case: str
    why: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.case} ({self.namespace})\n    " + self.why.replace("\n", "\n    ")


@dataclass
class Report:
    """What came of the cases."""

    run: Counter[str] = field(default_factory=Counter)
    """Cases that ran, by stage and fault."""
    unmet: list[str] = field(default_factory=list)
    """Cases whose call didn't come: the order of calls isn't the same in every run."""
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    def text(self) -> str:
        """Say it in a few lines."""
        stages, faults = Counter[str](), Counter[str]()
        for key, count in self.run.items():
            stage, _, fault = key.partition("/")
            stages[stage] += count
            faults[fault] += count
        lines = [str(failure) for failure in self.failures]
        lines += [f"unmet: {text}" for text in self.unmet]
        lines.append("by scenario: " + ", ".join(f"{name} {n}" for name, n in stages.items()))
        lines.append("by fault: " + ", ".join(f"{name} {n}" for name, n in faults.most_common()))
        total = sum(stages.values())
        lines.append(
            f"{total} cases (scenario, call, fault) in {self.seconds:.0f} s: "
            f"{len(self.failures)} failed; {len(self.unmet)} more never met their call"
        )
        return "\n".join(lines)

    def add(self, other: Report) -> None:
        """Take another report in."""
        self.run += other.run
        self.unmet += other.unmet
        self.failures += other.failures
        self.seconds += other.seconds


@asynccontextmanager
async def prepared(cluster: ControlPlane, folder: Path) -> AsyncIterator[Plane]:
    """Define our kinds, and put hands to work in the place of nodes."""
    async with await Client.connect("tests", str(cluster.kubeconfig)) as client, connected(cluster) as session:
        await define(client)
        async with Hands(client).working() as hands:
            yield Plane(cluster, client, session, hands, folder)


async def define(client: Client) -> None:
    """Make our kinds known and wait until they are served."""
    for definition in DEFINITIONS:
        (await client.apply(crd_manifest(definition), force=True)).result()
    for _ in range(200):
        try:
            if (await client.list(STACK)).ok:
                return
        except ClusterError:
            client.discovery.forget(STACK)
        await asyncio.sleep(0.1)


def new_life(plane: Plane, whole: bool = False) -> Life:
    """Make a life in a namespace that wasn't used."""
    return Life(plane, f"life-{next(_serial)}z", whole)


def name_of(stage: str, case: Case) -> str:
    """Return what a case is called among those of all stages."""
    return f"{stage}: {case}"


Expected = dict[str, Met]


async def without_faults(plane: Plane, course: Sequence[Stage], times: int = 2) -> Expected:
    """Run a course without faults; more than once, to take for a deletion or a call what any of them had.

    Raises:
        BrokenError: two runs without faults end differently, so that nothing could be compared.
    """
    found = await asyncio.gather(*(_plainly(plane, course) for _ in range(times)))
    first = found[0]
    for other in found[1:]:
        for name, met in other.items():
            if differences := first[name].state.differences(met.state):
                raise BrokenError(f"two runs of {name} without a fault differ: " + "\n".join(differences[:5]))
            first[name].entries += [e for e in met.entries if e.point not in set(first[name].points())]
    return first


async def _plainly(plane: Plane, course: Sequence[Stage]) -> Expected:
    async with new_life(plane).living() as life:
        return {stage.name: await life.run(stage) for stage in course}


def cases(met: Met) -> list[Case]:
    """Return every case of one stage: each fault that can happen to each call that the run without faults made."""
    points = [p for p in dict.fromkeys(met.points()) if not p.call.beats or p.nth <= HEARTBEATS]
    return [Case(fault, point) for point in points for fault in faults_at(point.call)]


def some(every: Iterable[Case], of_each: int) -> list[Case]:
    """Take a few cases of each fault, spread over the calls that it can happen to."""
    by_fault: dict[str, list[Case]] = {fault.name: [] for fault in FAULTS}
    for case in every:
        by_fault[case.fault.name].append(case)
    chosen = []
    for number, found in enumerate(by_fault.values()):
        count = min(of_each, len(found))
        chosen += [found[(number * 7 + i * len(found) // count) % len(found)] for i in range(count)]
    return chosen


Pick = Callable[[str, list[Case]], list[Case]]
Say = Callable[[str], None]


@dataclass
class Matrix:
    """All cases of one course.

    Args:
        plane: where.
        course: the stages.
        expected: each stage without faults.
        queues: what is still to be tried, by stage.
        tell: called with each case that was tried.
        passed: called with each that ended as it should.
    """

    plane: Plane
    course: Sequence[Stage]
    expected: Expected
    queues: Mapping[str, deque[Case]]
    tell: Say = lambda _: None
    passed: Say = lambda _: None
    report: Report = field(default_factory=Report)

    async def run(self, at_once: int = AT_ONCE) -> Report:
        """Try all."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._lives())
        self.report.seconds = time.monotonic() - started
        return self.report

    async def _lives(self) -> None:
        while any(self.queues.values()):
            async with new_life(self.plane).living() as life:
                for stage in self._needed():
                    if not await self._stage(life, stage):
                        break

    def _needed(self) -> Sequence[Stage]:
        """The course up to the last stage that still has cases."""
        last = max(n for n, stage in enumerate(self.course) if self.queues[stage.name])
        return self.course[: last + 1]

    async def _stage(self, life: Life, stage: Stage) -> bool:
        """Try the next case of a stage in this life; tells whether the life goes on."""
        queue = self.queues[stage.name]
        case = queue.popleft() if queue else None
        try:
            armed = Armed(case.fault, case.point) if case else None
            met = await life.run(stage, armed, self.expected[stage.name])
        except BrokenError as error:
            self._note(stage, case)
            why = f"{error}\ncalls: {life.tell_calls()}"
            failure = Failure(stage.name, str(case or "no fault"), why, life.namespace)
            self.report.failures.append(failure)
            self.tell(f"FAILED {failure}")
            return False
        if case and not met.struck:
            self.report.unmet.append(name_of(stage.name, case))
        elif case:
            self._note(stage, case)
            self.passed(name_of(stage.name, case))
        self.tell(f"{stage.name}: {case or 'no fault'}: {met.seconds:.1f} s, {met.calls()} calls")
        return True

    def _note(self, stage: Stage, case: Case | None) -> None:
        if case:
            self.report.run[f"{stage.name}/{case.fault}"] += 1


async def try_course(
    plane: Plane,
    name: str,
    pick: Pick,
    tell: Say = lambda _: None,
    passed: Say = lambda _: None,
    at_once: int = AT_ONCE,
) -> Report:
    """Try the cases of one course that ``pick`` chooses among those of each stage; see :class:`Matrix`."""
    course = COURSES[name]
    expected = await without_faults(plane, course)
    counts = (f"{n} {m.calls()} ({len(cases(m))} cases)" for n, m in expected.items())
    tell(f"{name}: calls without a fault: " + ", ".join(counts))
    chosen = {stage.name: pick(stage.name, cases(expected[stage.name])) for stage in course}
    # The creation is part of every course: each tries its share of those cases.
    chosen[CREATE.name] = chosen[CREATE.name][list(COURSES).index(name) :: len(COURSES)]
    queues = {stage: deque(found) for stage, found in chosen.items()}
    return await Matrix(plane, course, expected, queues, tell, passed).run(at_once)
