"""How far components are proven, as the tests' report in the catalog says; nobody writes it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from aistack.catalog.models import Component
from aistack.errors import CatalogError
from aistack.objects.manifest import content_hash

REPORT = "tiers.json"
Report = Mapping[str, Mapping[str, str]]
"""By component: its ``tier``, and the ``version`` and the ``digest`` that earned it."""


def read_tiers(root: Path) -> Report:
    """Read a catalog's report; a catalog that was never tested has none.

    Raises:
        CatalogError: it can't be parsed, or is no map of maps.
    """
    file = root / REPORT
    if not file.is_file():
        return {}
    try:
        report: Report = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise CatalogError(REPORT, f"can't be parsed: {error.msg}", error.lineno) from None
    if not isinstance(report, dict) or not all(isinstance(entry, dict) for entry in report.values()):
        raise CatalogError(REPORT, "must hold a map for each component; the tests write it")
    return report


def tier_of(report: Report, component: Component) -> str:
    """Return the tier that a component earned as it is now, empty if none."""
    entry = report.get(component.name, {})
    return entry.get("tier", "") if entry.get("digest") == digest_of(component) else ""


def digest_of(component: Component) -> str:
    """Hash what a component is: all of its folder but its README, its tests and what its images are built from.

    An image that changes gets another tag, which is in its component.yaml.
    """
    spec = component.spec.model_dump(mode="json", exclude_unset=True)
    return content_hash([spec, component.values_schema, component.templates, component.files])
