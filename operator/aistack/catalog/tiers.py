"""How far components are proven, as the conformance suite's report in each one's folder says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from aistack.catalog.models import Component
from aistack.errors import CatalogError
from aistack.objects.manifest import content_hash

REPORT = "conformance.json"
"""A component's report, written by ``aistack component test``."""
Reports = Mapping[str, Mapping[str, Any]]
"""By component: the ``tier``, and the ``digest`` of what earned it, among others."""


def read_reports(root: Path) -> Reports:
    """Read the reports of a catalog's, or a piece's, components; one that was never tried has none.

    Raises:
        CatalogError: one can't be parsed, or is no map.
    """
    return {file.parent.name: _read(root, file) for file in sorted(root.glob(f"components/*/{REPORT}"))}


def _read(root: Path, file: Path) -> Mapping[str, Any]:
    name = str(file.relative_to(root))
    try:
        report = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise CatalogError(name, f"can't be parsed: {error.msg}", error.lineno) from None
    if not isinstance(report, dict) or not all(isinstance(report.get(key, ""), str) for key in ("tier", "digest")):
        raise CatalogError(name, "is no report; 'aistack component test NAME --report FILE' writes it")
    return report


def current_reports(root: Path, components: Mapping[str, Component]) -> Reports:
    """Return the reports of those components that are still what was tried.

    Args:
        root: the folder of a catalog or a piece.
        components: what it brings, by name.

    Raises:
        CatalogError: a report can't be parsed, or is none.
    """
    found = read_reports(root)
    return {n: found[n] for n, c in components.items() if n in found and found[n].get("digest") == digest_of(c)}


def tiers_of(root: Path, components: Mapping[str, Component]) -> dict[str, str]:
    """Return the tier that each component earned as it is now, empty where none; see :func:`current_reports`."""
    found = current_reports(root, components)
    return {name: found.get(name, {}).get("tier", "") for name in components}


def digest_of(component: Component) -> str:
    """Hash what a component is: all of its folder but its README, its tests and what its images are built from.

    An image that changes gets another tag, which is in its component.yaml.
    """
    spec, chart = component.spec.model_dump(mode="json", exclude_unset=True), component.chart
    parts = [spec, component.values_schema, component.templates, component.files]
    return content_hash([*parts, chart.digest, chart.values] if chart else parts)
