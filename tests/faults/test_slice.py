"""A slice of the matrix for every `make test`: each fault at a few calls of each stage, for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controlplane import ControlPlane
from tests.faults.life import COURSES
from tests.faults.matrix import prepared, some, try_course
from tests.faults.soak import soak

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane for faults alone: hands play all of its pods."""
    with ControlPlane() as cluster:
        yield cluster


@pytest.mark.parametrize("course", COURSES)
async def test_a_fault_leaves_what_no_fault_leaves(plane: ControlPlane, course: str, tmp_path: Path) -> None:
    async with prepared(plane, tmp_path) as made:
        report = await try_course(made, course, lambda _, cases: some(cases, 1))
    print(report.text())
    assert not report.failures, report.text()
    assert len(report.unmet) * 10 <= sum(report.run.values()), report.text()


async def test_random_changes_under_random_faults(plane: ControlPlane, tmp_path: Path) -> None:
    async with prepared(plane, tmp_path) as made:
        report = await soak(made, seed=1, minutes=0.3, lives=2, tell=lambda _: None)
    print(report.text())
    assert not report.failures, report.text()
