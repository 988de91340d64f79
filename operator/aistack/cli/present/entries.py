"""A profile or a contract of the catalog, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from aistack.api.status import Footprint
from aistack.catalog.models import Catalog, Contract, Profile
from aistack.catalog.references import fields_of
from aistack.cli.present.stack import footprint_line
from aistack.cli.present.table import PlainTable


def profile_view(profile: Profile, footprint: Footprint | None) -> RenderableType:
    """Show what a profile installs, and what it asks of a cluster."""
    return Group(
        Text.assemble((profile.name, "bold"), f"  {profile.about}"),
        Text(f"components   {', '.join(profile.components)}"),
        Text(footprint_line(footprint) if footprint else "can't be planned; see aistack catalog check"),
    )


def profile_data(profile: Profile, footprint: Footprint | None) -> dict[str, Any]:
    """Return the same as plain data."""
    asked = footprint.model_dump(by_alias=True) if footprint else None
    return {"name": profile.name, "about": profile.about, "components": list(profile.components), "footprint": asked}


def contract_view(contract: Contract, catalog: Catalog) -> RenderableType:
    """Show a contract: who stands on which side of it, and the keys of a binding."""
    sides = contract_sides(contract, catalog)
    keys = PlainTable("KEY", "SECRET", "DESCRIPTION")
    for name, key in contract.keys.items():
        keys.add_row(name, "yes" if key.secret else "-", key.about)
    secret = {name for name, key in contract.keys.items() if key.secret}
    for name, text in contract.derived.items():
        tells = not fields_of(text).isdisjoint(secret)
        keys.add_row(name, "yes" if tells else "-", f"made of others: {text}")
    return Group(
        Text.assemble((contract.title, "bold"), f"  {contract.about}"),
        *(Text(f"{side:<12} {', '.join(names) or '-'}") for side, names in sides.items()),
        Text("\nKeys of a binding", "bold"),
        keys,
    )


def contract_data(contract: Contract, catalog: Catalog) -> dict[str, Any]:
    """Return the same as plain data."""
    return contract.model_dump(mode="json", by_alias=True, exclude_none=True) | contract_sides(contract, catalog)


def contract_sides(contract: Contract, catalog: Catalog) -> dict[str, list[str]]:
    """Return the components that provide a contract and those that use it."""
    specs = [component.spec for component in catalog.components.values()]
    return {
        "providers": [s.name for s in specs if contract.name in {p.contract for p in s.provides}],
        "consumers": [s.name for s in specs if contract.name in {r.contract for r in s.requires}],
    }
