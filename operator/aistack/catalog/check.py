"""Checks a catalog's folders one by one, so that all problems are found at once and each is told by file and line.

What loading refuses is found here as well; on top of it comes what a catalog could do without and its users couldn't:
descriptions, defaults, a README.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Generator, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from aistack.catalog.licences import licence_problem
from aistack.catalog.loader import folders, load_component, load_model, read_text, read_yaml
from aistack.catalog.models import Component, Contract, Image, Profile
from aistack.catalog.positions import line_of
from aistack.catalog.schemas import schema_problems
from aistack.errors import CatalogError

_Model = TypeVar("_Model", bound=BaseModel)
PROGRAMS = {
    "claim.py": dict.fromkeys(("claim", "retire", "revoke"), "admin, share"),
    "prove.py": {"prove": "share, step"},
}
"""What a contract's programs must define."""


def check_folders(root: Path, known: Collection[str] = ()) -> Iterator[CatalogError]:
    """Yield all that is wrong with a catalog's folders; templates, plans and shared images are not looked at.

    Args:
        root: the catalog's folder.
        known: contracts that are defined elsewhere.
    """
    contracts = {folder.name for folder in folders(root / "contracts")} | set(known)
    components = folders(root / "components")
    for folder in components:
        yield from _component(root, folder, contracts)
    for folder in folders(root / "contracts"):
        yield from _contract(root, folder, contracts)
    for file in sorted((root / "profiles").glob("*.yaml")):
        yield from _profile(root, file, {folder.name for folder in components})


def _component(root: Path, folder: Path, contracts: set[str]) -> Iterator[CatalogError]:
    file = folder / "component.yaml"
    yield from _needed(root, folder / "README.md", "write what the component is, its values and how to use it")
    try:
        component = load_component(root, folder)
    except CatalogError as error:
        yield error
        return
    if problem := licence_problem(component.spec.licence):
        yield _at(root, file, ("licence",), problem)
    yield from _unknown_contracts(root, file, component, contracts)
    for name, image in component.spec.images.items():
        yield from _image(root, file, image, ("images", name))
    yield from _schema(root, folder / "values.schema.json")
    if not component.templates and not component.chart:
        yield CatalogError(component.folder, "has neither templates/*.yaml.j2 nor a chart: it would install nothing")


def _unknown_contracts(root: Path, file: Path, component: Component, known: set[str]) -> Iterator[CatalogError]:
    spec = component.spec
    named: list[tuple[tuple[str | int, ...], str | None]] = [
        *((("provides", i, "contract"), p.contract) for i, p in enumerate(spec.provides)),
        *((("requires", i, "contract"), r.contract) for i, r in enumerate(spec.requires)),
        *(
            (("workloads", name, "ports", port, "contract"), p.contract)
            for name, workload in spec.workloads.items()
            for port, p in workload.ports.items()
        ),
    ]
    for path, contract in named:
        if contract is not None and contract not in known:
            problem = f"there is no contract {contract!r}; contracts/ has {', '.join(sorted(known)) or 'none'}"
            yield _at(root, file, path, problem)


def names_version(tag: str) -> bool:
    """Whether an image's tag may be one that never moves; such as latest and stable do."""
    return any(character.isdigit() for character in tag)


def _image(root: Path, file: Path, image: Image, path: tuple[str | int, ...]) -> Iterator[CatalogError]:
    if "platforms" not in image.model_fields_set:
        yield _at(root, file, path, "says nothing of its platforms; write e.g. platforms: [linux/amd64, linux/arm64]")
    if not names_version(image.tag):
        problem = (
            f"{image.tag} is no version, and may be another image tomorrow; write one that never moves, e.g. 1.4.2"
        )
        yield _at(root, file, (*path, "tag"), problem)
    if image.containerfile and not (file.parent / image.containerfile).is_file():
        yield _at(root, file, (*path, "containerfile"), f"{image.containerfile} doesn't exist")


def _schema(root: Path, file: Path) -> Iterator[CatalogError]:
    if not file.is_file():
        yield from _needed(root, file, "describe what users may set, with default and description each")
        return
    schema = read_yaml(root, file)
    for path, problem in schema_problems(schema):
        yield _at(root, file, path, problem)


def _contract(root: Path, folder: Path, known: Collection[str]) -> Iterator[CatalogError]:
    contract = yield from _loaded(root, folder / "contract.yaml", Contract)
    if contract and contract.name != folder.name:
        yield _at(root, folder / "contract.yaml", ("name",), f"name {contract.name!r} is not the folder's")
    for i, name in enumerate(contract.includes if contract else ()):
        if name not in known:
            yield _at(root, folder / "contract.yaml", ("includes", i), f"there is no contract {name!r}")
    for name, functions in PROGRAMS.items():
        yield from _program(root, folder / name, functions)


def _program(root: Path, file: Path, functions: Mapping[str, str]) -> Iterator[CatalogError]:
    """Check that a program can be run; it is read, never imported."""
    if not file.is_file():
        yield from _needed(root, file, f"write the functions {', '.join(functions)}")
        return
    try:
        tree = ast.parse(read_text(root, file))
    except CatalogError as error:
        yield error
        return
    except SyntaxError as error:
        yield CatalogError(_relative(root, file), f"is no valid Python: {error.msg}", error.lineno or 0)
        return
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte; nested too deep for the parser
        yield CatalogError(_relative(root, file), f"is no valid Python: {error or type(error).__name__}")
        return
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name, arguments in functions.items():
        if name not in defined:
            yield CatalogError(_relative(root, file), f"has no function {name}({arguments})")


def _profile(root: Path, file: Path, components: set[str]) -> Iterator[CatalogError]:
    profile = yield from _loaded(root, file, Profile)
    if profile is None:
        return
    if profile.name != file.stem:
        yield _at(root, file, ("name",), f"name {profile.name!r} is not the file's")
    for i, name in enumerate(profile.components):
        if name not in components:
            yield _at(root, file, ("components", i), f"there is no component {name!r}")


def _loaded(root: Path, file: Path, model: type[_Model]) -> Generator[CatalogError, None, _Model | None]:
    """Load a file; yield what is wrong and return None if it can't be."""
    try:
        return load_model(root, file, model)
    except CatalogError as error:
        yield error
        return None


def _needed(root: Path, file: Path, what: str) -> Iterator[CatalogError]:
    if not file.is_file():
        yield CatalogError(_relative(root, file), f"is missing: {what}")


def _at(root: Path, file: Path, path: tuple[str | int, ...], problem: str) -> CatalogError:
    where = ".".join(str(part) for part in path)
    line = line_of(file.read_text("utf-8"), path)
    return CatalogError(_relative(root, file), f"{where}: {problem}" if where else problem, line)


def _relative(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()
