"""Secrets of a plan: recipes, never values; a generation changes when, and only when, the Secret must be made anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aistack.errors import CatalogError, SpecError
from aistack.objects.plan import CreateSecret, Observed, SecretRecord
from aistack.objects.recipes import Format, Generate, Literal
from aistack.planning.plan import Planned
from tests.toy import applied, find, jobs, plan, secrets, starter, toy, toy_of_two, values

FIRST = plan()
WORLD = applied(FIRST)


def world(**records: SecretRecord) -> Observed:
    """The applied world with other records for some Secrets; ``_`` in a name stands for ``-``."""
    changed = {name.replace("_", "-"): record for name, record in records.items()}
    return replace(WORLD, secrets={**WORLD.secrets, **changed})


def generations(planned: Planned) -> dict[str, int]:
    return {base: secret.generation for base, secret in secrets(planned).items()}


def test_a_share_is_of_its_own_and_takes_what_is_public_from_the_provider() -> None:
    made = secrets(plan("{profile: toy}"))["demo-web-blob"].recipes
    assert made["region"] == Literal("home"), "what isn't secret and doesn't differ is the provider's"
    assert made["bucket"] == Literal("demo-web")
    assert made["username"] == Literal("demo-web"), "not the administrator's"
    assert made["password"] == Generate(40)
    assert made["host"] == Literal("demo-store.ml.svc")
    assert made["port"] == Literal("9000")
    assert made["uri"] == Format("blob://{bucket}")
    assert (made["type"], made["provider"]) == (Literal("blob"), Literal("store")), "as Service Binding asks"


def test_a_login_names_its_generation_so_that_old_and_new_coexist() -> None:
    record = WORLD.secrets["demo-web-sql"]
    again = secrets(plan(observed=world(demo_web_sql=replace(record, generation=3, present=False))))["demo-web-sql"]
    assert again.recipes["username"] == Literal("demo_web_4")
    assert again.recipes["database"] == Literal("demo_web"), "the data stays where it is"
    assert again.ref.name == "demo-web-sql-4"


def test_an_admin_binding_lacks_what_only_shares_have() -> None:
    assert {"bucket", "uri"}.isdisjoint(secrets(FIRST)["demo-store-blob-admin"].recipes)


def test_each_item_gets_a_secret_whose_texts_may_name_its_keys() -> None:
    made = secrets(plan(values("web", {"users": ["anna", "ben"]})))
    assert made["demo-web-user-anna"].recipes == {
        "username": Literal("anna"),
        "password": Generate(20),
        "login": Format("{username}:{password}"),
    }
    assert "demo-web-user-ben" in made


@pytest.mark.parametrize(
    ("users", "field", "problem"),
    [
        pytest.param(["anna", "Anna B."], "values.users[1]", "can't be a part of an object's name", id="no-name"),
        pytest.param(["../x"], "values.users[0]", "can't be a part of an object's name", id="a-path"),
        pytest.param(["a\nb"], "values.users[0]", "can't be a part of an object's name", id="a-line-break"),
        pytest.param([""], "values.users[0]", "can't be a part of an object's name", id="empty"),
        pytest.param(["anna", "anna"], "values.users[1]", "'anna' stands here twice", id="twice"),
        pytest.param(["a" * 51], "values.users[0]", "has 51 characters, too many for the name", id="too-long"),
    ],
)
def test_an_item_that_can_be_no_name_is_refused(users: list[str], field: str, problem: str) -> None:
    with pytest.raises(SpecError) as refused:
        plan(values("web", {"users": users}))
    assert refused.value.field == f"spec.components[web].{field}"
    assert problem in refused.value.problem


GENERATIONS: dict[str, tuple[Observed, Any, dict[str, int]]] = {
    "nothing-known-yet": (Observed(), None, dict.fromkeys(secrets(FIRST), 1)),
    "unchanged": (WORLD, None, dict.fromkeys(secrets(FIRST), 1)),
    "unchanged-at-a-later-generation": (
        applied(plan(observed=world(demo_web_sql=SecretRecord(6, "?", False)))),
        None,
        {"demo-web-sql": 7, "demo-web-blob": 1},
    ),
    "lost": (
        world(demo_web_sql=replace(WORLD.secrets["demo-web-sql"], present=False)),
        None,
        {"demo-web-sql": 2, "demo-web-blob": 1, "demo-db-sql-admin": 1},
    ),
    "other-recipes": (
        world(demo_web_session=replace(WORLD.secrets["demo-web-session"], recipe_hash="of another catalog")),
        None,
        {"demo-web-session": 2, "demo-web-sql": 1},
    ),
    "lost-and-other-recipes": (world(demo_web_blob=SecretRecord(4, "?", False)), None, {"demo-web-blob": 5}),
    "values-that-no-secret-uses": (WORLD, {"title": "x"}, dict.fromkeys(secrets(FIRST), 1)),
    "one-more-user": (WORLD, {"users": ["admin", "ben"]}, {"demo-web-user-admin": 1, "demo-web-user-ben": 1}),
}


@pytest.mark.parametrize(("observed", "given", "expected"), GENERATIONS.values(), ids=GENERATIONS)
def test_generations(observed: Observed, given: Any, expected: dict[str, int]) -> None:
    found = generations(plan(values("web", given or {}), observed))
    assert {base: found[base] for base in expected} == expected


def test_a_provider_that_changes_makes_its_consumers_secrets_anew_and_no_others() -> None:
    changed = plan("{profile: toy, components: [{name: db, enabled: false}, {name: rival}]}", WORLD)
    found = generations(changed)
    assert found["demo-web-sql"] == 2, "host and port are the rival's"
    assert found["demo-web-blob"] == 1
    assert jobs(changed)["web/sql"] != jobs(plan(observed=WORLD))["web/sql"]


def test_a_new_generation_rolls_the_pods_that_use_it_and_no_others() -> None:
    lost = plan(observed=world(demo_web_sql=replace(WORLD.secrets["demo-web-sql"], present=False)))
    same = plan(observed=WORLD)

    def pods(planned: Planned, name: str) -> Any:
        return find(planned, "Deployment", name)["spec"]["template"]

    assert pods(lost, "demo-web") != pods(same, "demo-web")
    assert pods(lost, "demo-web-front") == pods(same, "demo-web-front")
    assert pods(lost, "demo-db") == pods(same, "demo-db")


@pytest.mark.parametrize("planned", [plan(), plan("{profile: starter}", catalog=starter())], ids=["toy", "starter"])
def test_a_plan_holds_recipes_for_every_secret_key_and_a_value_for_none(planned: Planned) -> None:
    contracts = toy().contracts | starter().contracts
    steps = [s for u in planned.plan.units for s in u.objects()]
    made = [s for s in steps if isinstance(s, CreateSecret)]
    assert made
    for secret in made:
        assert not {"data", "stringData"} & secret.manifest.keys()
        contract = contracts.get(getattr(secret.recipes.get("type"), "value", ""))
        for key, recipe in secret.recipes.items():
            secret_key = contract is not None and key in contract.keys and contract.keys[key].secret
            if secret_key or "password" in key or "token" in key:
                assert isinstance(recipe, Generate), f"{secret.base}: {key}"
    kinds = [s.ref.kind for s in steps if not isinstance(s, CreateSecret)]
    assert "Secret" not in kinds, "all Secrets are made from recipes"


def test_the_longest_item_fits_exactly() -> None:
    assert len("demo-web-user-" + "a" * 49) == 63
    assert plan(values("web", {"users": ["a" * 49]}))


@pytest.mark.parametrize(
    ("admin", "says"),
    [
        pytest.param({"pasword": "x"}, "provides sql with a key 'pasword' that the contract lacks", id="unknown-key"),
        pytest.param({"password": "hunter2"}, "'password', which is a secret key, and this value is", id="spelled-out"),
        pytest.param({"password": "{stack}"}, "'password', which is a secret key", id="known-from-the-stack"),
    ],
)
def test_an_admin_binding_that_cannot_be_is_refused(admin: dict[str, str], says: str) -> None:
    db = toy().components["db"]
    provide = db.spec.provides[0].model_copy(update={"admin": {**db.spec.provides[0].admin, **admin}})
    component = replace(db, spec=db.spec.model_copy(update={"provides": (provide,)}))
    catalog = replace(toy(), components={**toy().components, "db": component})
    with pytest.raises(CatalogError) as refused:
        plan(catalog=catalog)
    assert refused.value.file == "components/db/component.yaml"
    assert says in refused.value.problem


TWO = "{profile: toy, components: [{name: cache}]}"


def test_two_contracts_of_one_administrator_have_one_admin_secret() -> None:
    planned = plan(TWO, catalog=toy_of_two())
    db = next(unit for unit in planned.plan.units if unit.name == "db")
    assert [step.base for step in db.prepare if isinstance(step, CreateSecret)] == ["demo-db-sql-admin"]
    pods = [find(planned, "Job", jobs(planned)[key])["spec"]["template"]["spec"] for key in ("web/sql", "cache/cache")]
    admins = {volume["secret"]["secretName"] for pod in pods for volume in pod["volumes"] if volume["name"] == "admin"}
    assert admins == {"demo-db-sql-admin-1"}


def test_a_share_of_the_second_contract_is_its_own_at_the_same_place() -> None:
    made = secrets(plan(TWO, catalog=toy_of_two()))
    sql, cache = made["demo-web-sql"].recipes, made["demo-cache-cache"].recipes
    assert (cache["host"], cache["port"]) == (sql["host"], sql["port"])
    assert (cache["type"], cache["provider"]) == (Literal("cache"), Literal("db"))
    assert cache["username"] == Literal("demo-cache"), "not the administrator's"


@pytest.mark.parametrize(
    ("contract", "key", "change", "says"),
    [
        pytest.param("sql", "username", None, "whose binding may lack the key 'username'", id="no-such-key"),
        pytest.param("sql", "username", {"optional": True}, "may lack the key 'username'", id="optional-there"),
        pytest.param("cache", "password", {"secret": False}, "'password' is secret in one of the two", id="not-secret"),
        pytest.param("cache", "username", {"secret": True}, "'username' is secret in one of the two", id="secret"),
    ],
)
def test_an_administrator_whose_binding_does_not_fit_is_refused(
    contract: str, key: str, change: dict[str, bool] | None, says: str
) -> None:
    found = toy().contracts[contract]
    kept = {name: spec for name, spec in found.keys.items() if name != key}
    changed = {**kept, key: found.keys[key].model_copy(update=change)} if change else kept
    other = found.model_copy(update={"keys": changed})
    catalog = replace(toy_of_two(), contracts={**toy().contracts, contract: other})
    db = catalog.components["db"]
    admin = {name: value for name, value in db.spec.provides[0].admin.items() if change or name != key}
    provides = (db.spec.provides[0].model_copy(update={"admin": admin}), *db.spec.provides[1:])
    spec = db.spec.model_copy(update={"provides": provides})
    catalog = replace(catalog, components={**catalog.components, "db": replace(db, spec=spec)})
    with pytest.raises(CatalogError) as refused:
        plan("{components: [{name: db}]}", catalog=catalog)
    assert refused.value.file == "components/db/component.yaml"
    assert refused.value.problem.startswith("provides cache with the administrator of sql, ")
    assert says in refused.value.problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{login}", "name each other in a circle: login -> login", id="circle"),
        pytest.param("{unknown}", "names {unknown}, which is neither a word nor a key", id="unknown"),
        pytest.param("{password.upper}", "names {password.upper}", id="attribute"),
        pytest.param("{}", "names {}, which is neither", id="nameless"),
    ],
)
def test_a_recipe_that_names_nothing_is_refused_with_its_file(text: str, says: str) -> None:
    web = toy().components["web"]
    data = {**web.spec.secrets["user"].data, "login": text}
    secret = web.spec.secrets["user"].model_copy(update={"data": data})
    spec = web.spec.model_copy(update={"secrets": {**web.spec.secrets, "user": secret}})
    catalog = replace(toy(), components={**toy().components, "web": replace(web, spec=spec)})
    with pytest.raises(CatalogError) as refused:
        plan(catalog=catalog)
    assert refused.value.file == "components/web/component.yaml"
    assert says in refused.value.problem
