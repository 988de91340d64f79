"""Claims: a Job of another name when, and only when, what it works with changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aistack.catalog.models import Catalog
from aistack.objects.plan import Observed
from tests.toy import applied, find, jobs, plan, secrets, starter, toy

WORLD = applied(plan())
EDGES = {"web/sql", "web/blob"}


def with_volume(uid: str, component: str = "db", name: str = "demo-db-data") -> Observed:
    """The world in which a volume has another identity."""
    ref = next(r for r in WORLD.objects if r.kind == "PersistentVolumeClaim")
    other = replace(ref, name=name)
    metadata = {"name": name, "uid": uid, "labels": {"aistack.dev/component": component}}
    return replace(WORLD, objects={**WORLD.objects, other: {**WORLD.objects[ref], "metadata": metadata}})


def lost(base: str) -> Observed:
    return replace(WORLD, secrets={**WORLD.secrets, base: replace(WORLD.secrets[base], present=False)})


def with_claim(text: str) -> Catalog:
    contract = toy().contracts["sql"].model_copy(update={"programs": {"claim.py": text}})
    return replace(toy(), contracts={**toy().contracts, "sql": contract})


INPUTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing": ({}, set()),
    "share-lost": ({"observed": lost("demo-web-sql")}, {"web/sql"}),
    "admin-binding-lost": ({"observed": lost("demo-db-sql-admin")}, {"web/sql"}),
    "another-secret-lost": ({"observed": lost("demo-web-session")}, set()),
    "provider-s-volume-made-anew": ({"observed": with_volume("uid-new")}, {"web/sql"}),
    "one-more-volume-of-the-provider": ({"observed": with_volume("uid-x", name="demo-db-log")}, {"web/sql"}),
    "volume-of-a-component-with-a-longer-name": (
        {"observed": with_volume("uid-x", component="db-two", name="demo-db-two-data")},
        set(),
    ),
    "another-program": ({"catalog": with_claim("def claim(admin, share): ...")}, {"web/sql"}),
    "another-runner": ({"catalog": replace(toy(), runner_programs={"a.py": "pass"})}, EDGES),
    "another-registry": ({"spec": "{profile: toy, images: {registry: registry.example.com}}"}, EDGES),
    "another-size": ({"spec": "{profile: toy, size: large}"}, set()),
    "another-version-of-the-provider": ({"spec": "{profile: toy, components: [{name: db, version: '1'}]}"}, set()),
    "another-value": ({"spec": "{profile: toy, components: [{name: web, values: {title: x}}]}"}, set()),
    "extra-labels": ({"spec": "{profile: toy, labels: {a: b}}"}, set()),
    "another-component": ({"spec": "{profile: toy, components: [{name: cache}]}"}, {"web/cache"}),
}


@pytest.mark.parametrize(("change", "renamed"), INPUTS.values(), ids=INPUTS)
def test_a_job_is_another_one_when_its_input_changes_and_only_then(change: dict[str, Any], renamed: set[str]) -> None:
    before = jobs(plan(observed=WORLD))
    after = jobs(plan(**{"observed": WORLD, **change}))
    assert {key for key in after if before.get(key) != after[key]} == renamed


def test_a_job_mounts_the_admin_binding_the_share_and_the_program() -> None:
    planned = plan()
    job = find(planned, "Job", jobs(planned)["web/sql"])
    pod = job["spec"]["template"]["spec"]
    sources = {v["name"]: v.get("secret", {}).get("secretName") or v["configMap"]["name"] for v in pod["volumes"]}
    assert sources == {"admin": "demo-db-sql-admin-1", "share": "demo-web-sql-1", "program": "demo-web-sql-claim"}
    assert all(mount["readOnly"] for mount in pod["containers"][0]["volumeMounts"])
    assert {v["secret"]["defaultMode"] for v in pod["volumes"] if "secret" in v} == {0o440}
    assert pod["securityContext"]["fsGroup"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["restartPolicy"] == "Never"
    program = find(planned, "ConfigMap", "demo-web-sql-claim")["data"]
    assert program["contracts.sql.claim.py"] == toy().contracts["sql"].programs["claim.py"]
    (volume,) = [v["configMap"] for v in pod["volumes"] if "configMap" in v]
    assert {i["key"]: i["path"] for i in volume["items"]}.keys() == program.keys()
    assert "aistack/proving/__main__.py" in {i["path"] for i in volume["items"]}


def test_consumers_see_no_admin_binding_of_others() -> None:
    for planned in (plan(), plan("{profile: starter}", catalog=starter())):
        names = {base: s.ref.name for base, s in secrets(planned).items() if base.endswith("-admin")}
        for unit in planned.plan.units:
            foreign = {n for base, n in names.items() if not base.startswith(f"demo-{unit.name}-")}
            for step in unit.run:
                assert not [n for n in foreign if n in repr(step.manifest)], step.ref


def test_a_job_ends_by_itself_and_is_cleaned_up() -> None:
    spec = find(plan(), "Job", jobs(plan())["web/blob"])["spec"]
    assert spec["activeDeadlineSeconds"] > 0
    assert spec["ttlSecondsAfterFinished"] > 0
    assert spec["backoffLimit"] >= 1
