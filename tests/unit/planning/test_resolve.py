"""Resolve: which components run, with which settings; what is unknown is refused by field, with a remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aistack.errors import AwaitedError, SpecError
from aistack.planning.pods import scheduling_fields
from aistack.planning.resolve import Resolved, resolve
from tests.toy import plan, stack, starter, toy


def resolved(spec: str) -> dict[str, Resolved]:
    return resolve(stack(spec), toy())


NAMES = {
    "profile": ("{profile: toy}", ["db", "store", "web"]),
    "profile-and-one-more": ("{profile: toy, components: [{name: cache}]}", ["db", "store", "web", "cache"]),
    "profile-without-one": ("{profile: toy, components: [{name: web, enabled: false}]}", ["db", "store"]),
    "list-alone": ("{components: [{name: store}, {name: db}]}", ["store", "db"]),
    "listed-and-of-the-profile": ("{profile: toy, components: [{name: web, size: large}]}", ["db", "store", "web"]),
    "disabled-though-nothing-brings-it": ("{components: [{name: db}, {name: web, enabled: false}]}", ["db"]),
}


@pytest.mark.parametrize(("spec", "names"), NAMES.values(), ids=NAMES)
def test_the_profile_and_the_list_make_the_components(spec: str, names: list[str]) -> None:
    assert list(resolved(spec)) == names


SETTINGS: dict[str, tuple[str, str, Any]] = {
    "newest-version-by-default": ("{profile: toy}", "version", "2"),
    "version": ("{components: [{name: db, version: '1'}]}", "version", "1"),
    "size-of-the-stack": ("{profile: toy, size: large}", "size", "large"),
    "size-of-its-own": ("{profile: toy, size: large, components: [{name: db, size: medium}]}", "size", "medium"),
    "no-class": ("{profile: toy}", "storage_class", ""),
    "class-of-the-stack": ("{profile: toy, storage: {className: slow}}", "storage_class", "slow"),
    "class-of-its-own": (
        "{storage: {className: slow}, components: [{name: db, storage: {className: fast}}]}",
        "storage_class",
        "fast",
    ),
    "size-of-its-volume": ("{components: [{name: db, storage: {size: 7Gi}}]}", "storage_size", "7Gi"),
    "suspended-by-the-stack": ("{profile: toy, suspend: true}", "suspended", True),
    "suspended-alone": ("{components: [{name: db, suspend: true}]}", "suspended", True),
    "not-suspended": ("{profile: toy}", "suspended", False),
    "field": ("{profile: toy}", "field", "spec.components[db]"),
}


@pytest.mark.parametrize(("spec", "attribute", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_settings_of_the_component_win_over_those_of_the_stack(spec: str, attribute: str, expected: Any) -> None:
    assert getattr(resolved(spec)["db"], attribute) == expected


TOLERATIONS = {
    "every-taint-of-an-effect": ("{effect: NoSchedule}", {"operator": "Exists", "effect": "NoSchedule"}),
    "every-taint": ("{operator: Exists}", {"operator": "Exists"}),
    "a-taint-by-its-key": ("{key: gpu}", {"key": "gpu"}),
    "a-taint-by-its-value": ("{key: gpu, value: 'yes'}", {"key": "gpu", "value": "yes"}),
}


@pytest.mark.parametrize(("written", "expected"), TOLERATIONS.values(), ids=TOLERATIONS)
@pytest.mark.parametrize("spec", ["{scheduling: %s, profile: toy}", "{components: [{name: db, scheduling: %s}]}"])
def test_a_toleration_without_a_key_says_that_it_tolerates_all(
    spec: str, written: str, expected: dict[str, str]
) -> None:
    found = resolved(spec % f"{{tolerations: [{written}]}}")["db"].scheduling
    assert scheduling_fields(found) == {"tolerations": [expected]}


PLACEMENTS = {
    "of-the-stack": ("{scheduling: {nodeSelector: {a: '1'}}, components: [{name: db}]}", {"a": "1"}, None),
    "replaced": (
        "{scheduling: {nodeSelector: {a: '1'}, priorityClassName: high},"
        " components: [{name: db, scheduling: {nodeSelector: {b: '2'}}}]}",
        {"b": "2"},
        "high",
    ),
    "emptied": (
        "{scheduling: {nodeSelector: {a: '1'}}, components: [{name: db, scheduling: {nodeSelector: {}}}]}",
        {},
        None,
    ),
}


@pytest.mark.parametrize(("spec", "selector", "priority"), PLACEMENTS.values(), ids=PLACEMENTS)
def test_each_field_of_a_placement_that_is_set_replaces_the_stacks(
    spec: str, selector: dict[str, str], priority: str | None
) -> None:
    placement = resolved(spec)["db"].scheduling
    assert (placement.node_selector, placement.priority_class_name) == (selector, priority)


REFUSED = {
    "profile": ("{profile: tyo}", "spec.profile", "no profile is named 'tyo'", "did you mean 'toy'?"),
    "profile-like-none": ("{profile: xx}", "spec.profile", "no profile is named 'xx'", "choose one of: toy"),
    "component": (
        "{profile: toy, components: [{name: wbe}]}",
        "spec.components[wbe].name",
        "no component is named 'wbe'",
        "did you mean 'web'?",
    ),
    "component-misspelt-while-disabling-it": (
        "{profile: toy, components: [{name: wbe, enabled: false}]}",
        "spec.components[wbe].name",
        "no component is named 'wbe'",
        "did you mean 'web'?",
    ),
    "everything-disabled": (
        "{components: [{name: db, enabled: false}, {name: web, enabled: false}]}",
        "spec.components",
        "disables everything",
        "enable one, or delete the stack",
    ),
    "version": (
        "{components: [{name: db, version: '9'}]}",
        "spec.components[db].version",
        "'9' is not in the catalog",
        "choose one of: 2, 1",
    ),
    "value": (
        "{components: [{name: db, values: {maxConnection: 5}}]}",
        "spec.components[db].values.maxConnection",
        "is not a value of this component",
        "did you mean 'maxConnections'?",
    ),
    "size-for-no-volume": (
        "{components: [{name: store, storage: {size: 5Gi}}]}",
        "spec.components[store].storage.size",
        "store has no volume whose size is set here",
        "leave it out",
    ),
    "class-for-no-volume": (
        "{components: [{name: store, storage: {className: fast}}]}",
        "spec.components[store].storage.className",
        "store has no volume",
        "leave it out",
    ),
}


def test_a_size_that_a_value_sets_is_told_by_its_name() -> None:
    with pytest.raises(SpecError) as refused:
        plan("{profile: starter, components: [{name: jupyterhub, storage: {size: 5Gi}}]}", catalog=starter())
    assert refused.value.field == "spec.components[jupyterhub].storage.size"
    assert refused.value.remedy == "write values.homeSize instead"


@pytest.mark.parametrize(("spec", "field", "problem", "remedy"), REFUSED.values(), ids=REFUSED)
def test_what_the_catalog_does_not_know_is_refused(spec: str, field: str, problem: str, remedy: str) -> None:
    with pytest.raises(SpecError) as refused:
        resolved(spec)
    assert (refused.value.field, refused.value.problem, refused.value.remedy) == (field, problem, remedy)


@pytest.mark.parametrize("part", ["components/db", "contracts/blob"])
def test_a_stack_waits_for_parts_that_an_aicomponent_brings(part: str) -> None:
    catalog = replace(toy(), awaited={part: "the registry is away"})
    with pytest.raises(AwaitedError) as awaited:
        plan(catalog=catalog)
    assert str(awaited.value) == f"spec: {part} can't be used yet: the registry is away; what runs stays as it is"


def test_a_stack_of_other_parts_waits_for_nothing() -> None:
    plan(catalog=replace(toy(), awaited={"components/ping": "the registry is away"}))
