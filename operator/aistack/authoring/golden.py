"""Golden renders: what each component makes of the stacks in its ``tests/<case>/`` folder, as files to be reviewed.

``components/<name>/tests/<case>/stack.yaml`` is planned with the whole catalog as for a first installation;
``expected.yaml`` beside it holds what that component's unit makes: its Secrets' recipes, objects and Jobs, in plan
order; a text that a ConfigMap carries unchanged is named by its file. Cases are found by folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from aistack.api.parse import parse_stack
from aistack.catalog.loader import read_text, read_yaml
from aistack.catalog.models import Catalog
from aistack.errors import CatalogError, InvalidError, ToolError
from aistack.objects.manifest import Manifest
from aistack.objects.plan import CreateSecret, Unit
from aistack.objects.recipes import as_data
from aistack.planning.plan import Planned
from aistack.rendering import plan_new
from aistack.sources.charts import Charts

HEADER = "# Written by `aistack component check --update` from stack.yaml; read its diff when it changes.\n"
UPDATE = "run 'aistack component check --update'"
DEFAULT = "default"
"""The case that every component has."""


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
    def stack(self) -> Path:
        """What is planned."""
        return self.folder / "stack.yaml"

    @property
    def expected(self) -> Path:
        """The file to compare with."""
        return self.folder / "expected.yaml"

    def plan(self, catalog: Catalog, charts: Charts | None = None) -> Planned:
        """Plan the stack as for a first installation.

        Raises:
            InvalidError: the stack or the catalog is wrong.
            NotReadyError: a chart can't be fetched or rendered here.
        """
        return plan_new(parse_stack(read_yaml(self._root, self.stack)), catalog, charts)

    def render(self, catalog: Catalog, charts: Charts | None = None) -> str:
        """Plan the stack and write down what the component makes.

        Raises:
            InvalidError: the stack or the catalog is wrong.
            NotReadyError: a chart can't be fetched or rendered here.
        """
        unit = next((u for u in self.plan(catalog, charts).plan.units if u.name == self.component), None)
        if unit is None:
            problem = f"spec.components: doesn't name {self.component}; write components: [{{name: {self.component}}}]"
            raise CatalogError(self._told(self.stack), problem)
        documents = _documents(unit, _files(catalog))
        return HEADER + yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)

    def problems(self, catalog: Catalog) -> Iterator[CatalogError]:
        """Yield where the component makes something else than what is written down."""
        try:
            rendered = self.render(catalog)
            written = read_text(self._root, self.expected) if self.expected.is_file() else ""
        except CatalogError as error:
            yield error
        except (InvalidError, ToolError) as error:
            yield CatalogError(self._told(self.stack), f"can't be planned: {error}")
        else:
            yield from self._compared(written, rendered)

    def _compared(self, written: str, rendered: str) -> Iterator[CatalogError]:
        if not written:
            yield CatalogError(self._told(self.expected), f"is missing; {UPDATE}, and review what it writes")
        elif difference := _difference(written, rendered):
            line, was, now = difference
            problem = f"has {was!r}, and now it would be {now!r}; {UPDATE}, and review its diff"
            yield CatalogError(self._told(self.expected), problem, line)

    @property
    def _root(self) -> Path:
        return self.folder.parents[3]

    def _told(self, file: Path) -> str:
        return file.relative_to(self._root).as_posix()


def cases(root: Path, components: Iterable[str] = ("*",)) -> list[Case]:
    """Find the cases of components of a catalog; by default of all."""
    return [Case(f.parent) for name in components for f in sorted(root.glob(f"components/{name}/tests/*/stack.yaml"))]


def golden_problems(root: Path, components: Iterable[str], catalog: Catalog) -> Iterator[CatalogError]:
    """Yield components without a default case, and where others make something else than what is written down.

    Args:
        root: the folder with ``components/``.
        components: those to look at.
        catalog: what is planned from; it has these components.
    """
    for name in components:
        found = cases(root, [name])
        if DEFAULT not in {case.folder.name for case in found}:
            place = f"components/{name}/tests/{DEFAULT}/stack.yaml"
            yield CatalogError(place, f"is missing: write an AIStack with the component, and {UPDATE}")
        for case in found:
            yield from case.problems(catalog)


def _difference(written: str, rendered: str) -> tuple[int, str, str] | None:
    """Return the first line that differs, and how; None if none does."""
    lines = enumerate(zip_longest(written.splitlines(), rendered.splitlines(), fillvalue=""), start=1)
    return next(((number, was.strip(), now.strip()) for number, (was, now) in lines if was != now), None)


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
