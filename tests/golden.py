"""Golden renders of the shipped catalog: ``make generate`` writes them, ``tests/unit/test_golden.py`` compares them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from aistack.authoring.golden import Case, cases
from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import Catalog
from tests.charts import charts

__all__ = ["Case", "cases", "expected_renders", "shipped"]


@cache
def shipped() -> Catalog:
    """The catalog of this checkout."""
    return load_catalog()


def expected_renders() -> Iterator[tuple[Path, str]]:
    """Yield every expected.yaml of the shipped catalog and what it must hold."""
    yield from ((case.expected, case.render(shipped(), charts())) for case in cases(catalog_folder()))
