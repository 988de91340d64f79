"""How far components are proven, as the tests' report in the catalog says; nobody writes it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from aistack.catalog.models import Component
from aistack.errors import CatalogError

REPORT = "tiers.json"
Report = Mapping[str, Mapping[str, str]]
"""By component: its ``tier``, and the ``version`` that earned it."""


def read_tiers(root: Path) -> Report:
    """Read a catalog's report; a catalog that was never tested has none.

    Raises:
        CatalogError: it can't be parsed.
    """
    file = root / REPORT
    if not file.is_file():
        return {}
    try:
        report: Report = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise CatalogError(REPORT, f"can't be parsed: {error.msg}", error.lineno) from None
    return report


def tier_of(report: Report, component: Component) -> str:
    """Return the tier that a component's newest version earned, empty if none."""
    entry = report.get(component.name, {})
    return entry.get("tier", "") if entry.get("version") == component.spec.versions[0] else ""
