"""A slice of the matrix for every `make test`: each fault at some call of at least one stage, for real."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controlplane import ControlPlane
from tests.faults.courses import COURSES
from tests.faults.kinds import FAULTS
from tests.faults.matrix import Case, Report, prepared, some, try_course
from tests.faults.soak import soak

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

STAGES = list(dict.fromkeys(stage.name for course in COURSES.values() for stage in course))
HALVES = ("create", "upgrade")
"""Stages in which every fault can happen: each of them meets every second one."""
SHARE = 4
"""The others meet one fault in so many."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane for faults alone: hands play all of its pods."""
    with ControlPlane() as cluster:
        yield cluster


def _pick(stage: str, cases: list[Case]) -> list[Case]:
    share, turn = (2, HALVES.index(stage)) if stage in HALVES else (SHARE, STAGES.index(stage) % SHARE)
    return [case for case in some(cases, 1) if FAULTS.index(case.fault) % share == turn]


async def test_a_fault_leaves_what_no_fault_leaves(plane: ControlPlane, tmp_path: Path) -> None:
    report = Report()
    async with prepared(plane, tmp_path) as made:
        # At the same time, as each of them waits for most of its time.
        for found in await asyncio.gather(*(try_course(made, course, _pick, at_once=2) for course in COURSES)):
            report.add(found)
    print(report.text())
    assert not report.failures, report.text()
    tried = sum(report.run.values())
    assert len(report.unmet) * 5 <= tried, report.text()
    met = {name.partition("/")[2] for name in report.run}
    assert len(met) >= len(FAULTS) - 3, f"hardly any of these was tried: {met ^ {fault.name for fault in FAULTS}}"


async def test_random_changes_under_random_faults(plane: ControlPlane, tmp_path: Path) -> None:
    async with prepared(plane, tmp_path) as made:
        report = await soak(made, seed=1, minutes=0.3, lives=2, tell=lambda _: None)
    print(report.text())
    assert not report.failures, report.text()
