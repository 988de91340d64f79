"""Begins a component: a folder that passes the checks, and says in comments what its author fills in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import TypeAdapter, ValidationError

from aistack.api.group import API_VERSION
from aistack.authoring.checks import Author
from aistack.authoring.drafts import Draft, DraftWorkload, administrator, contracts_of, environment, ports_of
from aistack.catalog.check import names_version
from aistack.catalog.fields import Name
from aistack.catalog.models import Catalog, Contract, Image, Require
from aistack.errors import CatalogError, InvalidError
from aistack.images import discover
from aistack.objects.artifact import parse_reference
from aistack.planning.check import providers_of

SKELETON = Path(__file__).parent / "skeleton"
FIRST_VERSION = "0.1.0"
UNKNOWN = "LicenseRef-Unknown"
_IMAGE = "server"
_COMMON = ("component.yaml", "values.schema.json", "README.md", "tests/default/stack.yaml")
_TEMPLATES = ("templates/server.yaml.j2",)
_CHART = ("values.yaml.j2",)
_BUILT = ("image/Containerfile", "image/requirements.in", "image/requirements.txt")


@dataclass(frozen=True)
class Wish:
    """What an author asks for."""

    name: str
    provides: Sequence[str] = ()
    requires: Sequence[str] = ()


@dataclass(frozen=True)
class Begun:
    """A folder that was begun, and what its author must correct before it passes."""

    folder: Path
    problems: Sequence[CatalogError]


def of_image(wish: Wish, catalog: Catalog, reference: str) -> Draft:
    """Draft a component of an image that somebody publishes.

    Args:
        wish: what is asked for.
        catalog: whose contracts it speaks.
        reference: the image, with its registry and a tag.

    Raises:
        InvalidError: the reference is none, or names no version.
    """
    named = parse_reference(reference)
    if not names_version(named.tag):
        raise InvalidError(f"{reference!r} names no version; write a tag that never moves, e.g. {named.place}:1.4.2")
    image = Image(registry=named.host, repository=named.repository, tag=named.tag)
    return _draft(wish, catalog, named.tag.removeprefix("v"), image)


def of_own(wish: Wish, catalog: Catalog) -> Draft:
    """Draft a component whose image is built from its folder."""
    image = Image(repository=wish.name, tag=f"{FIRST_VERSION}-1", containerfile=_BUILT[0])
    return _draft(wish, catalog, FIRST_VERSION, image)


def _draft(wish: Wish, catalog: Catalog, version: str, image: Image) -> Draft:
    server = DraftWorkload("server", ports_of(contracts_of(catalog, wish.provides)))
    about, home = f"What people do with {wish.name}, in one sentence.", f"https://example.com/{wish.name}"
    return Draft(version, {_IMAGE: image}, [server], about, home, storage=not wish.requires)


def begin(wish: Wish, draft: Draft, catalog: Catalog, root: Path, parent: Path) -> Begun:
    """Write a component's folder and check it.

    Args:
        wish: what is asked for.
        draft: what it is made of.
        catalog: that it is to be part of.
        root: that catalog's folder.
        parent: where its folder is to be.

    Raises:
        InvalidError: the name is none, or taken.
    """
    _check_name(wish.name, catalog)
    folder = parent / wish.name
    if folder.exists():
        raise InvalidError(f"{folder} is there already, and is left as it is; choose another name or --directory")
    files = dict(_files(draft, _words(wish, draft, catalog, root)))
    try:
        for path, content in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        author = Author(folder, catalog)
        author.update()
    except BaseException:  # nothing half-written stays
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Begun(folder, author.check())


def _check_name(name: str, catalog: Catalog) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        problem = "a component's name has small letters, digits and dashes, and begins with a letter"
        raise InvalidError(f"{name!r}: {problem}; write e.g. my-tool") from None
    if name in catalog.components:
        raise InvalidError(f"{name!r} is a component of the catalog; choose another name, e.g. my-{name}")


def _files(draft: Draft, words: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    yield from draft.copied.items()
    names = [*_COMMON, *(_CHART if draft.chart else _TEMPLATES), *(_BUILT if draft.own else ())]
    environment = Environment(
        loader=FileSystemLoader(SKELETON),
        autoescape=False,  # noqa: S701 - no page: what is no name goes through "plain"
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
    environment.filters["plain"] = _plain
    for name in names:
        yield name, environment.get_template(name).render(words).encode()


def _words(wish: Wish, draft: Draft, catalog: Catalog, root: Path) -> dict[str, Any]:
    provides, requires = contracts_of(catalog, wish.provides), contracts_of(catalog, wish.requires)
    pages = [(w.role, p.name) for w in draft.workloads for p in w.ports if p.audience.startswith("page")]
    return {
        "name": wish.name,
        "title": wish.name.replace("-", " ").capitalize(),
        "licence": UNKNOWN,
        "api_version": API_VERSION,
        "provides": list(_provided(draft, provides)),
        "requires": [{"contract": contract.name} for contract in requires],
        "env": environment(requires, provides),
        "page": {"role": pages[0][0], "port": pages[0][1]} if pages else None,
        "bases": {image.name: image.reference for image in discover(root)} if draft.own else {},
        "stack": [*providers_of(catalog, [Require(contract=c) for c in wish.requires], wish.provides), wish.name],
        "own": draft.own,
        "data": _data(draft, requires),
        "network": ", ".join(f"port {p.number} ({p.name})" for w in draft.workloads for p in w.ports) or "no port",
        "version": draft.version,
        "about": draft.about,
        "home": draft.home,
        "images": [{"name": name, **image.model_dump()} for name, image in draft.images.items()],
        "workloads": draft.workloads,
        "storage": draft.storage,
        "chart": draft.chart,
        "values": draft.values,
    }


def _provided(draft: Draft, provides: Sequence[Contract]) -> Iterator[dict[str, Any]]:
    """Yield each contract with the workload and the port that serve it."""
    places = {port.audience: (w.role, port.name) for w in draft.workloads for port in w.ports}
    for contract in provides:
        role, port = places[f"contract: {contract.name}"]
        yield {"contract": contract.name, "workload": role, "port": port, "admin": administrator(contract)}


def _data(draft: Draft, requires: Sequence[Contract]) -> str:
    kept = "on the volume `<stack>-<component>-data`" if draft.storage else ""
    shares = ", ".join(f"its share of `{contract.name}`" for contract in requires)
    return (" and in ".join(part for part in (kept, shares and f"in {shares}") if part) or "none") + "."


def _plain(text: str) -> str:
    """Write a text as YAML's plainest scalar, on one line."""
    return yaml.safe_dump(" ".join(text.split()), width=2**20, allow_unicode=True).removesuffix("...\n").strip()
