"""The chart's files fit the package and its image, without helm; with it, tests/integration/test_chart.py."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml

from aistack.images import discover
from tests.chart.generated import CHART

ROOT = CHART.parents[1]


def described() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "Chart.yaml").read_text()))


def test_versions_are_those_of_the_package_and_its_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    image = next(image for image in discover(ROOT / "manifests") if image.name == "operator")
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert described()["version"] == project["version"]
    assert described()["appVersion"] == image.declared.tag
    assert image.declared.tag.startswith(f"{project['version']}-")
    assert values["images"]["repository"] == image.declared.repository


def test_every_value_is_in_the_schema_with_its_meaning() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert list(undescribed(schema)) == []
    assert set(paths(values)) <= set(known(schema))


def undescribed(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        if not field.get("description"):
            yield f"{path}.{name}"
        if "properties" in field:
            assert field["additionalProperties"] is False, f"{path}.{name} takes what it doesn't know"
        yield from undescribed(field, f"{path}.{name}")


def known(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from known(field, f"{path}.{name}")


def paths(values: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{path}.{name}"
        if isinstance(value, dict) and name not in ("resources", "labels"):
            yield from paths(value, f"{path}.{name}")
