"""Wire: every requirement finds its one provider; the order follows from the edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aistack.catalog.models import Component, Require
from aistack.errors import SpecError
from aistack.planning.resolve import resolve
from aistack.planning.wire import Wiring, wire
from tests.toy import containers_of, find, plan, stack, toy


def wired(spec: str) -> Wiring:
    return wire(resolve(stack(spec), toy()), toy())


def edges(wiring: Wiring) -> set[tuple[str, str]]:
    return {(edge.key, edge.provider) for edge in wiring.edges}


EDGES = {
    "profile": ("{profile: toy}", {("web/sql", "db"), ("web/blob", "store")}),
    "optional-and-there": (
        "{profile: toy, components: [{name: cache}]}",
        {("web/sql", "db"), ("web/blob", "store"), ("web/cache", "cache")},
    ),
    "another-provider": (
        "{profile: toy, components: [{name: db, enabled: false}, {name: rival}]}",
        {("web/sql", "rival"), ("web/blob", "store")},
    ),
    "nothing-required": ("{components: [{name: db}]}", set()),
}


@pytest.mark.parametrize(("spec", "expected"), EDGES.values(), ids=EDGES)
def test_each_requirement_has_an_edge_to_its_provider(spec: str, expected: set[tuple[str, str]]) -> None:
    assert edges(wired(spec)) == expected


@pytest.mark.parametrize(
    ("more", "secret"),
    [pytest.param("", None, id="unbound"), pytest.param("{name: cache}", "demo-web-cache-1", id="bound")],
)
def test_a_template_asks_whether_what_is_optional_is_bound(more: str, secret: str | None) -> None:
    web = find(plan(f"{{profile: toy, components: [{more}]}}"), "Deployment", "demo-web")
    variables = {e["name"]: e for e in containers_of(web)[-1]["env"]}
    found = variables["CACHE"]["valueFrom"]["secretKeyRef"]["name"] if "CACHE" in variables else None
    assert found == secret


def test_providers_come_in_an_earlier_wave() -> None:
    assert wired("{components: [{name: web}, {name: store}, {name: db}]}").waves == (("db", "store"), ("web",))


def test_servers_wait_for_their_own_providers_and_claims_for_theirs() -> None:
    units = plan("{profile: toy, components: [{name: cache}]}").plan.units
    after = {unit.name: unit.after for unit in units}
    assert after == {"cache": (), "db": (), "store": (), "web": ("cache", "db")}, "only spawned pods use the store"
    actions = {a.key: (a.after, a.blocking, a.exclusive) for unit in units for a in unit.actions}
    assert actions == {
        "web/sql": (("db",), True, "db"),
        "web/blob": (("store",), False, "store"),
        "web/cache": (("cache",), True, "cache"),
    }, "and no two claims are at one provider at a time"


REFUSED = {
    "two-providers": (
        "{profile: toy, components: [{name: rival}]}",
        "spec.components[rival]",
        "provides the contract 'sql', and so does 'db'",
        "disable one of them: {name: db, enabled: false}",
    ),
    "no-provider": (
        "{components: [{name: web}, {name: store}]}",
        "spec.components[web]",
        "needs the contract 'sql', which nothing in this stack provides",
        "enable one of: db, rival",
    ),
    "provider-disabled": (
        "{profile: toy, components: [{name: store, enabled: false}]}",
        "spec.components[web]",
        "needs the contract 'blob', which nothing in this stack provides",
        "enable one of: store",
    ),
    "cycle": (
        "{components: [{name: ping}, {name: pong}]}",
        "spec.components",
        "these components need each other: ",
        "disable one of them",
    ),
}


@pytest.mark.parametrize(("spec", "field", "problem", "remedy"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_wired_is_refused(spec: str, field: str, problem: str, remedy: str) -> None:
    with pytest.raises(SpecError) as refused:
        wired(spec)
    assert refused.value.field == field
    assert problem in refused.value.problem
    assert refused.value.remedy.partition("; or ")[0] == remedy


def auth(component: Component) -> Component:
    """The web with a second share of sql, ``web-auth``; and the cache as a component of that very name."""
    if component.name == "web":
        requires = (*component.spec.requires, Require(contract="sql", name="auth"))
        return replace(component, spec=component.spec.model_copy(update={"requires": requires}))
    spec = component.spec.model_copy(update={"name": "web-auth", "requires": (Require(contract="sql"),)})
    return replace(component, spec=spec)


def test_two_consumers_never_get_one_share() -> None:
    components = {**toy().components, "web": auth(toy().components["web"]), "web-auth": auth(toy().components["cache"])}
    catalog = replace(toy(), components=components)
    assert wire(resolve(stack(), catalog), catalog), "each alone is fine"
    with pytest.raises(SpecError) as refused:
        wire(resolve(stack("{profile: toy, components: [{name: web-auth}]}"), catalog), catalog)
    assert refused.value.field == "spec.components[web-auth]"
    assert refused.value.problem == "its share of 'sql' is named 'web-auth', and so is that of web/auth"
    assert refused.value.remedy == "disable one of them: {name: web, enabled: false}"


def test_a_cycle_is_shown_from_end_to_end() -> None:
    with pytest.raises(SpecError, match=r"ping -> pong -> ping|pong -> ping -> pong"):
        wired("{components: [{name: ping}, {name: pong}]}")
