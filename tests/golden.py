"""Golden renders: what each component makes of the stacks in its ``tests/<case>/`` folder, as files to be reviewed.

``manifests/components/<name>/tests/<case>/stack.yaml`` is planned with the whole catalog as for a first installation;
``expected.yaml`` beside it holds what that component's unit makes: its Secrets' recipes, objects and Jobs, in plan
order; a text that a ConfigMap carries unchanged is named by its file. ``make generate`` writes it,
``tests/unit/test_golden.py`` compares it. Cases are found by folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aistack.api.parse import parse_stack
from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import Catalog
from aistack.objects.manifest import Manifest
from aistack.objects.plan import CreateSecret, Unit
from aistack.objects.recipes import as_data
from aistack.planning.plan import Planned
from aistack.rendering import plan_new
from tests.charts import charts

HEADER = "# Written by `make generate` from stack.yaml; read its diff when it changes.\n"


@dataclass(frozen=True)
class Case:
    """One golden render."""

    folder: Path

    @property
    def component(self) -> str:
        """The component whose objects are compared."""
        return self.folder.parent.parent.name

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.component}/{self.folder.name}"

    @property
    def expected(self) -> Path:
        """The file to compare with."""
        return self.folder / "expected.yaml"

    def plan(self, catalog: Catalog) -> Planned:
        """Plan the stack as for a first installation."""
        stack = parse_stack(yaml.safe_load((self.folder / "stack.yaml").read_text("utf-8")))
        return plan_new(stack, catalog, charts())

    def render(self, catalog: Catalog) -> str:
        """Plan the stack and write down what the component makes."""
        unit = next(u for u in self.plan(catalog).plan.units if u.name == self.component)
        documents = _documents(unit, _files(catalog))
        return HEADER + yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def cases(root: Path) -> list[Case]:
    """Find the cases of all components of a catalog."""
    return [Case(file.parent) for file in sorted(root.glob("components/*/tests/*/stack.yaml"))]


@cache
def shipped() -> Catalog:
    """The catalog of this checkout."""
    return load_catalog()


def expected_renders() -> Iterator[tuple[Path, str]]:
    """Yield every expected.yaml of the shipped catalog and what it must hold."""
    yield from ((case.expected, case.render(shipped())) for case in cases(catalog_folder()))


def _files(catalog: Catalog) -> dict[str, str]:
    """Map the texts of files that ConfigMaps carry unchanged to the files' names."""
    named = {text: f"({path})" for path, text in catalog.runner_programs.items()}
    for name, contract in catalog.contracts.items():
        named |= {text: f"(contracts/{name}/{file})" for file, text in contract.programs.items()}
    for component in catalog.components.values():
        named |= {text: f"({component.folder}/files/{name})" for name, text in component.files.items()}
    return named


def _documents(unit: Unit, files: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what the unit waits for, then its objects; a Secret with the recipes of its keys."""
    yield {"unit": unit.name, "after": list(unit.after), "suspended": unit.suspended}
    for step in unit.prepare:
        yield _secret(step) if isinstance(step, CreateSecret) else _named(step.manifest, files)
    yield from (step.manifest for step in unit.jobs())
    yield from (step.manifest for step in unit.run)


def _named(manifest: Manifest, files: Mapping[str, str]) -> Manifest:
    if manifest["kind"] != "ConfigMap":
        return manifest
    return {**manifest, "data": {key: files.get(text, text) for key, text in manifest["data"].items()}}


def _secret(step: CreateSecret) -> dict[str, Any]:
    recipes = {key: {type(r).__name__: as_data(r)} for key, r in step.recipes.items()}
    return {**step.manifest, "recipes": recipes}


class _Dumper(yaml.CSafeDumper):
    """Writes texts of several lines as they are, and equal data twice rather than by reference."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
