"""Adding a component touches one folder: a toy is added to a copy of the real catalog and is all there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aistack.catalog.check import check_folders
from aistack.catalog.loader import load_catalog
from aistack.catalog.locate import catalog_folder
from aistack.objects.plan import Unit
from aistack.planning.check import check_plans
from aistack.rendering import plan_new
from tests.hello import write_hello
from tests.toy import find, jobs, plan, plan_bytes, secrets

SPEC = "{components: [{name: postgres}, {name: hello, values: {greeting: hi}}]}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the real catalog with one folder more."""
    copy = Path(shutil.copytree(catalog_folder(), tmp_path / "catalog"))
    write_hello(copy)
    return copy


def test_stacks_without_it_are_planned_as_before(root: Path) -> None:
    before, after = (plan("{profile: starter}", catalog=load_catalog(r)) for r in (catalog_folder(), root))
    assert plan_bytes(after.plan) == plan_bytes(before.plan)
    assert after.catalog_digest == before.catalog_digest, "what they are planned from is the same"
    assert load_catalog(root).digest != load_catalog().digest, "though the catalog is another one"


def test_it_is_listed_checked_and_planned_alone_and_in_every_size(root: Path) -> None:
    assert "hello" in load_catalog(root).components
    assert [str(problem) for problem in (*check_folders(root), *check_plans(load_catalog(root), plan_new))] == []


def test_it_is_wired_with_a_share_a_claim_and_network_rules(root: Path) -> None:
    planned = plan(SPEC, catalog=load_catalog(root))
    assert [(e.key, e.provider) for e in planned.wiring.edges] == [("hello/postgres", "postgres")]
    assert "demo_hello" in repr(secrets(planned)["demo-hello-postgres"].recipes["database"])
    assert jobs(planned).keys() == {"hello/postgres"}
    peers = find(planned, "NetworkPolicy", "demo-postgres-server")["spec"]["ingress"][0]["from"]
    assert peers == [{"podSelector": {"matchLabels": {"aistack.dev/stack": "demo", "aistack.dev/identity": "hello"}}}]
    assert find(planned, "NetworkPolicy", "demo-hello-server")["spec"]["ingress"][0]["ports"][0]["port"] == 8080


def test_it_waits_for_its_database_and_runs_as_asked(root: Path) -> None:
    unit: Unit = next(u for u in plan(SPEC, catalog=load_catalog(root)).plan.units if u.name == "hello")
    assert unit.after == ("postgres",)
    container = unit.run[0].manifest["spec"]["template"]["spec"]["containers"][0]
    environment = {e["name"]: e for e in container["env"]}
    assert environment["GREETING"]["value"] == "hi"
    assert environment["DATABASE"]["valueFrom"] == {"secretKeyRef": {"name": "demo-hello-postgres-1", "key": "uri"}}
    assert container["image"] == "registry.aistack.dev/hello:1.0-1"


def test_the_stacks_of_others_stay_as_they_are(root: Path) -> None:
    one, two = (plan("{profile: starter}", catalog=load_catalog(r)).plan for r in (catalog_folder(), root))
    assert one == two
