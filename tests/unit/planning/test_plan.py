"""Plans as a whole: deterministic to the byte, names within limits, images from one place, footprint, phases."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from aistack.api.names import object_name
from aistack.errors import CatalogError, SpecError
from aistack.objects.plan import Observed, Plan
from aistack.planning.pods import pod_template
from tests.toy import applied, config_json, containers_of, objects, plan, plan_bytes, starter, toy

ROOT = Path(__file__).parents[3]


def test_equal_input_gives_equal_bytes_in_every_process() -> None:
    program = (
        "import sys, hashlib; from tests.toy import *;"
        "plans = [plan(), plan('{profile: starter}', catalog=starter())];"
        "sys.stdout.write(hashlib.sha256(b''.join(plan_bytes(p.plan) for p in plans)).hexdigest())"
    )
    digests = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout)
    assert len(digests) == 1


def test_the_order_in_which_components_are_listed_changes_nothing() -> None:
    one, two = (
        plan(f"{{components: [{text}]}}") for text in ("{name: db}, {name: store}", "{name: store}, {name: db}")
    )
    assert plan_bytes(one.plan) == plan_bytes(two.plan)


def test_planning_over_the_world_that_a_plan_made_changes_no_object() -> None:
    first = plan()
    second, third = plan(observed=applied(first)), plan(observed=applied(plan(observed=applied(first))))
    assert plan_bytes(second.plan) == plan_bytes(third.plan)
    differing = {ref.kind for ref in objects(first).keys() ^ objects(second).keys()}
    assert differing == {"Job"}, "but the claim, which learns of the provider's volume"


def test_phases() -> None:
    unit = next(u for u in plan().plan.units if u.name == "web")
    assert {s.ref.kind for s in unit.run} == {"Deployment"}
    assert {a.ref.kind for a in unit.actions} == {"Job"}
    prepared = [s.ref.kind for s in unit.prepare]
    assert set(prepared) == {"Secret", "ConfigMap", "NetworkPolicy", "Service"}
    assert prepared.index("ConfigMap") > prepared.index("Secret"), "Secrets come first"


def test_a_suspended_component_is_planned_as_such() -> None:
    planned = plan("{profile: toy, components: [{name: store, suspend: true}]}")
    assert {u.name: u.suspended for u in planned.plan.units} == {"db": False, "store": True, "web": False}


NAMES = {
    "name-that-fits-exactly": ("demo", "n" * 55, ""),
    "name-too-long": ("demo", "n" * 56, "shorten the stack's name by 1 characters"),
    "name-too-long-by-all-but-one-letter": ("demo", "n" * 58, "shorten the stack's name by 3 characters"),
    "stack-too-long-for-this-object": ("a-stack-of-20-letter", "n" * 40, "shorten the stack's name by 1 characters"),
}


@pytest.mark.parametrize(("name", "part", "says"), NAMES.values(), ids=NAMES)
def test_a_name_too_long_for_an_object_is_refused(name: str, part: str, says: str) -> None:
    template = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ name('{part}') }}}}\n"
    db = toy().components["db"]
    changed = replace(db, templates={**db.templates, "z.yaml.j2": template})
    catalog = replace(toy(), components={**toy().components, "db": changed})
    if not says:
        assert plan("{components: [{name: db}]}", catalog=catalog, name=name)
        return
    with pytest.raises(SpecError) as refused:
        plan("{components: [{name: db}]}", catalog=catalog, name=name)
    assert refused.value.field == "metadata.name"
    assert says in str(refused.value)


def test_a_name_that_no_stack_is_short_enough_for_is_the_catalog_s_fault() -> None:
    with pytest.raises(CatalogError, match=r"components/db: makes the object name .* no stack's name is short enough"):
        object_name("demo", "db", "n" * 59)


def test_the_longest_stack_name_fits_the_starter() -> None:
    planned = plan("{profile: starter}", catalog=starter(), name="a" * 24)
    assert max(len(ref.name) for ref in planned.plan.refs()) <= 63


def images(plan_: Plan) -> set[str]:
    manifests = [s.manifest for u in plan_.units for s in (*u.run, *u.actions)]
    return {c["image"] for m in manifests if pod_template(m) for c in containers_of(m)}


@pytest.mark.parametrize("registry", ["registry.example.com", "localhost:5000", "ghcr.io/team/ai"])
def test_a_registry_of_ones_own_holds_every_image(registry: str) -> None:
    spec = f"{{profile: %s, images: {{registry: '{registry}'}}}}"
    mine, theirs = plan(spec % "toy"), plan(spec % "starter", catalog=starter())
    found = images(mine.plan) | images(theirs.plan)
    found.add(config_json(mine, "demo-web-config", "worker.json")["image"])
    found.add(config_json(theirs, "demo-jupyterhub-hub", "settings.json")["notebook"]["image"])
    assert {image for image in found if not image.startswith(f"{registry}/")} == set()
    assert not [ref for ref, manifest in objects(theirs).items() if "registry.aistack.dev" in repr(manifest)]


def test_images_carry_a_version_never_latest() -> None:
    for image in images(plan("{profile: starter}", catalog=starter()).plan):
        tag = image.rpartition(":")[2]
        assert tag[0].isdigit(), image


FOOTPRINTS = {
    "one": ("{components: [{name: store}]}", ("50m", "64Mi", "0Mi", 1)),
    "volume": ("{components: [{name: db}]}", ("50m", "128Mi", "5Gi", 1)),
    "volume-of-a-size-of-its-own": ("{components: [{name: db, storage: {size: 7Gi}}]}", ("50m", "128Mi", "7Gi", 1)),
    # db 50m/128Mi + store 50m/64Mi + web's two servers and two workers of 100m/256Mi each
    "toy": ("{profile: toy}", ("500m", "1216Mi", "5Gi", 6)),
    # db 2/4Gi + store 50m/64Mi + web's four of 1/1Gi
    "toy-large": ("{profile: toy, size: large}", ("6050m", "8256Mi", "100Gi", 6)),
    "one-of-them-large": (
        "{profile: toy, components: [{name: db, size: large}]}",
        ("2450m", "5184Mi", "100Gi", 6),
    ),
}


@pytest.mark.parametrize(("spec", "expected"), FOOTPRINTS.values(), ids=FOOTPRINTS)
def test_footprint(spec: str, expected: tuple[str, str, str, int]) -> None:
    found = plan(spec).footprint
    assert (found.cpu, found.memory, found.storage, found.pods) == expected


def test_an_init_container_counts_only_where_it_asks_for_more() -> None:
    web = plan("{profile: toy}").footprint
    assert web.cpu == "500m", "web's init container asks for no more than its server"


def test_an_init_container_that_asks_for_more_is_what_its_pod_asks_for() -> None:
    db = toy().components["db"]
    first = (
        'initContainers:\n        - name: first\n          image: {{ image("server") }}\n'
        '          resources: {requests: {cpu: "3", memory: 1Gi}}\n      containers:'
    )
    server = db.templates["server.yaml.j2"].replace("containers:", first)
    catalog = replace(toy(), components={"db": replace(db, templates={"server.yaml.j2": server})})
    found = plan("{components: [{name: db}]}", catalog=catalog).footprint
    assert (found.cpu, found.memory) == ("3", "1Gi"), "not 3050m and 1152Mi: they don't run together"


def test_starter_fits_a_laptop() -> None:
    found = plan("{profile: starter}", catalog=starter()).footprint
    assert found.memory.endswith("Mi")
    assert int(found.memory.removesuffix("Mi")) <= 1.7 * 1024, "one notebook included"


def test_a_component_that_names_an_unknown_contract_is_refused_with_its_file() -> None:
    catalog = replace(toy(), contracts={k: v for k, v in toy().contracts.items() if k != "sql"})
    with pytest.raises(CatalogError, match=r"components/db/component\.yaml: names an unknown contract 'sql'"):
        plan(catalog=catalog, observed=Observed())
