"""Golden renders of the shipped catalog: ``make generate`` writes them, ``tests/unit/test_golden.py`` compares them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from aistack.authoring.golden import Case, cases
from aistack.catalog.loader import load_catalog, load_parts
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import Catalog
from tests.charts import charts

__all__ = ["Case", "cases", "expected_renders", "shipped"]


EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@cache
def shipped() -> Catalog:
    """The catalog of this checkout."""
    return load_catalog()


def expected_renders() -> Iterator[tuple[Path, str]]:
    """Yield every expected.yaml of the shipped catalog and of the examples, and what it must hold."""
    yield from ((case.expected, case.render(shipped(), charts())) for case in cases(catalog_folder()))
    components, _ = load_parts(EXAMPLES)
    joined = replace(shipped(), components={**shipped().components, **components})
    yield from ((case.expected, case.render(joined, charts())) for case in cases(EXAMPLES))
