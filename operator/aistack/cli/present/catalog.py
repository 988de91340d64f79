"""The catalog, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.text import Text

from aistack.api.piece import AIComponent, BroughtComponent
from aistack.api.status import Footprint
from aistack.catalog.charts import ChartFacts
from aistack.catalog.models import Catalog, Component, ComponentSpec
from aistack.catalog.schemas import properties_of
from aistack.cli.present.table import PlainTable

OWN = "catalog"
"""Source of what is no AIComponent's."""


def origin_of(catalog: Catalog, part: str) -> str:
    """Return where a part of the catalog comes from."""
    return catalog.origins.get(part, OWN)


def catalog_view(
    catalog: Catalog,
    tiers: Mapping[str, str],
    footprints: Mapping[str, Footprint | None],
    brought: Mapping[str, tuple[AIComponent, BroughtComponent]],
) -> RenderableType:
    """Show profiles (with what they ask for), components (with what tests proved of them) and contracts.

    Args:
        catalog: what there is.
        tiers: how far each component is proven.
        footprints: what each profile asks for.
        brought: what AIComponents of a cluster bring; it is used instead of what the catalog has of the same name.
    """
    return Group(
        _profiles(catalog, footprints),
        Text(),
        _components(catalog, tiers, brought),
        Text(),
        _contracts(catalog),
        Text("\naistack catalog show NAME tells more of each: what a component can be set to, a contract's keys"),
    )


def _profiles(catalog: Catalog, footprints: Mapping[str, Footprint | None]) -> PlainTable:
    table = PlainTable("PROFILE", "COMPONENTS", "CPU", "MEMORY", "STORAGE", "ABOUT")
    for profile in catalog.profiles.values():
        asked = footprints[profile.name]
        cells = (asked.cpu, asked.memory, asked.storage) if asked else ("-", "-", "-")
        table.add_row(profile.name, ", ".join(profile.components), *cells, profile.about)
    return table


def _components(
    catalog: Catalog, tiers: Mapping[str, str], brought: Mapping[str, tuple[AIComponent, BroughtComponent]]
) -> PlainTable:
    """Show components; where they come from once there is more than one source."""
    several = bool(brought or catalog.origins)
    rows: dict[str, tuple[str, ...]] = {}
    for s in (component.spec for component in catalog.components.values()):
        origin = origin_of(catalog, f"components/{s.name}")
        rows[s.name] = (s.versions[0], tiers.get(s.name) or "-", origin, provided(s), required(s), s.about)
    for name, (piece, told) in brought.items():
        instead = " (not the catalog's)" if name in rows else ""
        uses = (", ".join(told.provides) or "-", ", ".join(told.requires) or "-")
        rows[name] = (told.version, told.tier or "-", f"AIComponent {piece.name}{instead}", *uses, told.about)
    table = PlainTable(
        "COMPONENT", "VERSION", "TIER", *(["SOURCE"] if several else []), "PROVIDES", "REQUIRES", "ABOUT"
    )
    for name, (version, tier, origin, *rest) in sorted(rows.items()):
        table.add_row(name, version, tier, *([origin] if several else []), *rest)
    return table


def _contracts(catalog: Catalog) -> PlainTable:
    table = PlainTable("CONTRACT", "KEYS", "ABOUT")
    for contract in catalog.contracts.values():
        table.add_row(contract.name, ", ".join(contract.keys), contract.about)
    return table


def provided(spec: ComponentSpec) -> str:
    """List the contracts that a component provides."""
    return ", ".join(p.contract for p in spec.provides) or "-"


def required(spec: ComponentSpec) -> str:
    """List the contracts that a component needs, optional ones with a question mark."""
    return ", ".join(r.contract + ("?" if r.optional else "") for r in spec.requires) or "-"


def component_view(component: Component, tier: str, origin: str, facts: ChartFacts | None = None) -> RenderableType:
    """Show all that a user may want to know of a component.

    Args:
        component: it.
        tier: how far tests have proven it.
        origin: where it comes from.
        facts: what is known of its chart, if it is one and could be read.
    """
    spec = component.spec
    source = "" if origin == OWN else f"\nsource     {origin}"
    parts: list[RenderableType] = [
        Text.assemble((spec.title, "bold"), f"  {spec.about}"),
        Text(f"{spec.category}, {spec.licence}, {spec.home}"),
        Text(f"versions   {', '.join(spec.versions)}\ntier       {tier or 'not tested yet'}{source}"),
        Text(f"provides   {provided(spec)}\nrequires   {required(spec)}"),
        *(Text(line) for line in _chart(component, facts)),
    ]
    for title, table in (
        ("Values (spec.components[].values)", _values(component)),
        ("Sizes", _sizes(spec)),
        ("Volumes", _volumes(spec)),
        ("Images", _images(spec)),
    ):
        parts += [Text(f"\n{title}", "bold"), table] if len(table) else []
    return Group(*parts)


def _chart(component: Component, facts: ChartFacts | None) -> Iterator[str]:
    """Yield what is to be told of a component's chart, and of what it holds and a stack doesn't use."""
    if component.chart is None:
        return
    version = f" {facts.version}" if facts and component.chart.folder else ""
    yield f"chart      {component.chart.title}{version}, {component.chart.digest}"
    if facts and facts.tests:
        yield f"           its tests aren't run, as the contracts' proofs are: {', '.join(facts.tests)}"
    if facts and facts.definitions:
        definitions = ", ".join(facts.definitions)
        yield f"           needs these definitions, which the cluster's administrator installs: {definitions}"
    if left := component.chart.chart.without:
        yield f"           without {', '.join(left)}"


def component_data(component: Component, tier: str, origin: str) -> dict[str, Any]:
    """Return the same as plain data, for programs."""
    spec = component.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    references = {name: image.reference() for name, image in component.spec.images.items()}
    return {**spec, "tier": tier, "source": origin, "values": component.values_schema, "imageReferences": references}


def _values(component: Component) -> PlainTable:
    table = PlainTable("VALUE", "TYPE", "DEFAULT", "DESCRIPTION")
    for name, schema in properties_of(component.values_schema):
        table.add_row(name, _type(schema), _default(schema), Text(schema.get("description", "")))
    return table


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "|".join(str(choice) for choice in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return "|".join(kind) if isinstance(kind, list) else str(kind)


def _default(schema: Mapping[str, Any]) -> Text:
    value = schema.get("default")
    return Text("" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode())


def _sizes(spec: ComponentSpec) -> PlainTable:
    table = PlainTable("WORKLOAD", "SIZE", "CPU", "MEMORY", "MEMORY LIMIT")
    for name, workload in spec.workloads.items():
        for size, r in workload.sizes.items():
            table.add_row(name, size.value, r.cpu, r.memory, r.memory_limit)
    return table


def _volumes(spec: ComponentSpec) -> PlainTable:
    table = PlainTable("VOLUME", "SMALL", "MEDIUM", "LARGE")
    for name, sizes in spec.storage.items():
        table.add_row(name, *(str(size) for size in sizes.values()))
    return table


def _images(spec: ComponentSpec) -> PlainTable:
    table = PlainTable("IMAGE", "REFERENCE", "PLATFORMS")
    for name, image in spec.images.items():
        table.add_row(name, Text(image.reference()), ", ".join(image.platforms))
    return table
