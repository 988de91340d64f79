"""Loads a catalog from its folders; the only reader of ``manifests/``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from aistack.catalog.charts import VALUES, VALUES_FILE, Chart, ChartSource, folder_digest
from aistack.catalog.locate import catalog_folder
from aistack.catalog.models import RUNNER, Catalog, Component, ComponentSpec, Contract, Image, Profile
from aistack.catalog.positions import line_of
from aistack.errors import CatalogError
from aistack.objects.strict import StrictLoader

_Model = TypeVar("_Model", bound=BaseModel)
PROVING = "proving"
"""Folder of a release with the programs that run claims and proofs."""
_CHART_VALUES: Mapping[str, Any] = {
    "type": "object",
    "default": {},
    "description": "The Helm chart's own values, beside those that the component gives it, which can't be set.",
}
_NO_VALUES: Mapping[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}


class ValuesSchema(BaseModel):
    """The parts of a values.schema.json that defaults are taken from; ``aistack catalog check`` looks at the others."""

    properties: Mapping[str, ValuesSchema] = Field(default_factory=dict)
    items: ValuesSchema | bool = True
    additional_properties: ValuesSchema | bool = Field(default=True, alias="additionalProperties")


def load_catalog(named: Path | None = None) -> Catalog:
    """Load and validate the whole catalog.

    Args:
        named: the catalog's folder; by default the packaged one or the checkout's.

    Raises:
        CatalogError: the first file that is wrong, with its line.
    """
    root = catalog_folder(named)
    components, contracts = load_parts(root)
    profiles = {p.name: p for p in _load_profiles(root)}
    runner = load_model(root, root / "images" / "runner" / "image.yaml", Image)
    programs = _runner_programs(root)
    parts = {
        **part_digests(components, contracts),
        **_digests("profiles/", profiles),
        RUNNER: _digest((runner, programs)),
    }
    return Catalog(components, contracts, profiles, runner, programs, parts)


def load_parts(root: Path) -> tuple[dict[str, Component], dict[str, Contract]]:
    """Load the components and contracts of a folder that is no whole catalog.

    Raises:
        CatalogError: the first file that is wrong, with its line.
    """
    components = {c.name: c for c in (load_component(root, folder) for folder in folders(root / "components"))}
    contracts = {c.name: c for c in (_load_contract(root, folder) for folder in folders(root / "contracts"))}
    return components, contracts


def _runner_programs(root: Path) -> dict[str, str]:
    """Return the programs that came with the catalog, if it is a release, else this version's."""
    own = root / PROVING
    folder = own if own.is_dir() else files("aistack.proving")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".py"))
    return {f"aistack/proving/{name}": (folder / name).read_text("utf-8") for name in names}


def folders(parent: Path) -> list[Path]:
    """Return the folders of components or contracts; what editors and Python leave behind is none."""
    return sorted(f for f in parent.glob("[a-z]*") if f.is_dir()) if parent.is_dir() else []


def load_component(root: Path, folder: Path) -> Component:
    """Load one component's folder.

    Args:
        root: the catalog's folder, for messages.
        folder: the component's folder.

    Raises:
        CatalogError: a file is missing or wrong.
    """
    file = folder / "component.yaml"
    spec = load_model(root, file, ComponentSpec)
    if spec.name != folder.name:
        raise CatalogError(_relative(root, file), f"name {spec.name!r} is not the folder's", 1)
    schema = _values_schema(root, folder / "values.schema.json")
    _check_switches(root, file, spec, schema)
    chart = _chart(root, folder, spec.chart) if spec.chart else None
    return Component(
        spec=spec,
        values_schema=_with_chart_values(root, folder, schema) if chart else schema,
        templates=_texts(root, folder / "templates", "*.yaml.j2"),
        files=_texts(root, folder / "files", "[!.]*"),
        folder=_relative(root, folder),
        chart=chart,
    )


def _chart(root: Path, folder: Path, chart: Chart) -> ChartSource:
    """Return a component's chart; a remote one is known by its digest, and fetched where it is rendered."""
    values, place = read_text(root, folder / VALUES_FILE), _relative(root, folder)
    if chart.path is None:
        return ChartSource(chart, str(chart.digest), values, place)
    inner = folder / chart.path
    try:
        if not inner.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{chart.path} leads out of the component's folder")
        if not (inner / "Chart.yaml").is_file():
            raise ValueError(f"{chart.path} holds no Chart.yaml: it is no chart")
        return ChartSource(chart, folder_digest(inner), values, place, inner.resolve())
    except ValueError as error:
        line = line_of(read_text(root, folder / "component.yaml"), ("chart", "path"))
        raise CatalogError(f"{place}/component.yaml", f"chart.path: {error}", line) from None


def _with_chart_values(root: Path, folder: Path, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    known = schema.get("properties", {})
    if VALUES in known:
        problem = f"properties.{VALUES}: is where users reach the chart's own values; give this value another name"
        raise CatalogError(_relative(root, folder / "values.schema.json"), problem)
    return {**schema, "properties": {**known, VALUES: _CHART_VALUES}}


def _values_schema(root: Path, file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return _NO_VALUES
    schema: Mapping[str, Any] = read_yaml(root, file)
    _validated(root, file, schema, ValuesSchema)
    return schema


def _check_switches(root: Path, file: Path, spec: ComponentSpec, schema: Mapping[str, Any]) -> None:
    """Refuse a switch that no value is: it could never be turned off."""
    values = schema.get("properties", {})
    for role, workload in spec.workloads.items():
        for word, value in workload.switches.items():
            if values.get(value, {}).get("type") != "boolean":
                path = ("workloads", role, "switches", word)
                problem = f"{'.'.join(path)}: values.schema.json has no value {value!r} that is true or false"
                raise CatalogError(_relative(root, file), problem, line_of(read_text(root, file), path))


def _texts(root: Path, folder: Path, pattern: str) -> dict[str, str]:
    return {f.name: read_text(root, f) for f in sorted(folder.glob(pattern)) if f.is_file()}


def read_text(root: Path, file: Path) -> str:
    """Read a text.

    Raises:
        CatalogError: it is missing, or no text in UTF-8.
    """
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise CatalogError(_relative(root, file), "is missing") from None
    except UnicodeDecodeError:
        raise CatalogError(_relative(root, file), "is no text in UTF-8") from None


def _load_contract(root: Path, folder: Path) -> Contract:
    contract = load_model(root, folder / "contract.yaml", Contract)
    if contract.name != folder.name:
        raise CatalogError(_relative(root, folder / "contract.yaml"), f"name {contract.name!r} is not the folder's", 1)
    return contract.model_copy(update={"programs": _texts(root, folder, "*.py")})


def _load_profiles(root: Path) -> Iterator[Profile]:
    for file in sorted((root / "profiles").glob("*.yaml")):
        profile = load_model(root, file, Profile)
        if profile.name != file.stem:
            raise CatalogError(_relative(root, file), f"name {profile.name!r} is not the file's", 1)
        yield profile


def read_yaml(root: Path, file: Path) -> Any:
    """Read a YAML (or JSON) file.

    Raises:
        CatalogError: it is missing or can't be parsed; with the line.
    """
    text = read_text(root, file)
    try:
        return yaml.load(text, Loader=StrictLoader)  # noqa: S506 - a safe loader that is stricter
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise CatalogError(_relative(root, file), f"can't be parsed: {error.problem}", line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise CatalogError(_relative(root, file), f"can't be parsed: {error}") from None


def load_model(root: Path, file: Path, model: type[_Model]) -> _Model:
    """Read a file into a model.

    Raises:
        CatalogError: a field is wrong: its path, what is wrong, and the line where it stands.
    """
    return _validated(root, file, read_yaml(root, file), model)


def _validated(root: Path, file: Path, data: Any, model: type[_Model]) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A misspelt field is also a missing one: the word that is there is the better news.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        location = (*first["loc"], *first.get("ctx", {}).get("path", ()))
        path = ".".join(str(part) for part in location) or "(top level)"
        problem = first["msg"].removeprefix("Value error, ")
        raise CatalogError(
            _relative(root, file), f"{path}: {problem}", line_of(read_text(root, file), location)
        ) from None


def _relative(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def part_digests(components: Mapping[str, Component], contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Hash what can change a plan of each part: models, templates, files, claims."""
    return {**_digests("components/", components), **_digests("contracts/", contracts)}


def _digests(folder: str, items: Mapping[str, object]) -> dict[str, str]:
    return {f"{folder}{name}": _digest(item) for name, item in items.items()}


def _digest(item: object) -> str:
    return hashlib.sha256(repr(item).encode()).hexdigest()
