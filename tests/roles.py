"""The operator's rights for the shipped catalog: what all golden cases make, and the table of rights for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from aistack.catalog.locate import catalog_folder
from aistack.controller.rbac import table
from aistack.controller.rights import Right
from aistack.objects.manifest import Manifest, ObjectKind
from aistack.objects.plan import ApplyObject, Unit
from tests.charts import charts
from tests.golden import cases, shipped


@cache
def catalog_rights() -> tuple[Right, ...]:
    """Return every right that the operator needs for this checkout's catalog."""
    made = list(_made())
    return table({kind for kind, _ in made}, [manifest for kind, manifest in made if kind.kind == "Role"])


def _made() -> Iterator[tuple[ObjectKind, Manifest]]:
    """Yield all that the golden cases' stacks make; every component has one."""
    found = cases(catalog_folder())
    assert {case.component for case in found} == set(shipped().components)
    for case in found:
        for unit in case.plan(shipped(), charts()).plan.units:
            yield from _of(unit)


def _of(unit: Unit) -> Iterator[tuple[ObjectKind, Manifest]]:
    for step in (*unit.objects(), *unit.jobs()):
        yield step.ref.object_kind, step.manifest if isinstance(step, ApplyObject) else {}
