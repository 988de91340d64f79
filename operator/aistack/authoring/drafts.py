"""What a scaffold says of contracts: the ports, administrators and environment that they ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aistack.api.parse import suggest
from aistack.catalog.models import Catalog, Contract, Image
from aistack.errors import InvalidError

FIRST_PORT = 8080
_FILLED = ("host", "port")
"""Keys of a binding that the operator fills in."""


@dataclass(frozen=True)
class DraftPort:
    """A port of a workload, and who may connect to it, as component.yaml says it."""

    name: str
    number: int
    audience: str


@dataclass(frozen=True)
class DraftWorkload:
    """Pods of one role."""

    role: str
    ports: Sequence[DraftPort] = ()


@dataclass(frozen=True)
class Draft:
    """What a component is made of, before it is written."""

    version: str
    images: Mapping[str, Image]
    workloads: Sequence[DraftWorkload]
    about: str
    home: str
    storage: bool = False
    """Whether it keeps data on a volume."""
    chart: Mapping[str, Any] | None = None
    """``place``, ``without`` and ``secrets`` of component.yaml's ``chart``."""
    values: str = ""
    """Of the chart."""
    copied: Mapping[str, bytes] = field(default_factory=dict)
    """Files that are there already, by path: those of a chart."""

    @property
    def own(self) -> bool:
        """Whether its image is built from its folder."""
        return any(image.containerfile for image in self.images.values())


def contracts_of(catalog: Catalog, names: Iterable[str]) -> list[Contract]:
    """Return contracts by name.

    Raises:
        InvalidError: there is none of a name.
    """
    found = []
    for name in names:
        if name not in catalog.contracts:
            raise InvalidError(f"there is no contract {name!r}; {suggest(name, catalog.contracts)}")
        found.append(catalog.contracts[name])
    return found


def ports_of(provides: Sequence[Contract]) -> list[DraftPort]:
    """Return the ports of a server: one for each contract that it provides, else that of a page."""
    if not provides:
        return [DraftPort("http", FIRST_PORT, "page: true")]
    return [
        DraftPort(contract.name, _number(contract, FIRST_PORT + place), f"contract: {contract.name}")
        for place, contract in enumerate(provides)
    ]


def _number(contract: Contract, otherwise: int) -> int:
    return int(contract.keys["port"].default or otherwise) if "port" in contract.keys else otherwise


def administrator(contract: Contract) -> dict[str, str]:
    """Return what an administrator's binding must have, as component.yaml says it."""
    needed = {k: v for k, v in contract.keys.items() if k not in _FILLED and not v.optional and v.default is None}
    return {name: "{generate: {length: 40}}" if key.secret else "admin" for name, key in needed.items()}


def environment(requires: Sequence[Contract], provides: Sequence[Contract]) -> list[dict[str, str]]:
    """Return a container's variables: those of the usual clients of each share, and the administrators."""
    found: dict[str, str] = {}
    for contract in requires:
        for variable, key in contract.env.items():
            name = variable if variable not in found else f"{_upper(contract.name)}_{variable}"
            found[name] = f'binding("{contract.name}").env("{key}")'
    for contract in provides:
        for key in administrator(contract):
            found[f"{_upper(contract.name)}_ADMIN_{_upper(key)}"] = f'provided("{contract.name}").env("{key}")'
    return [{"name": name, "value": value} for name, value in found.items()]


def _upper(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_")
