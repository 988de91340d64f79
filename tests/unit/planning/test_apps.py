"""Apps: what a stack's plan has for the user's own consumers."""

from __future__ import annotations

from aistack.api.binding import AIBinding, AIBindingSpec, BindingMetadata
from aistack.api.names import MAX_CATALOG_NAME, MAX_STACK_NAME
from aistack.errors import SpecError
from aistack.objects.plan import CreateSecret, Observed, SecretRecord
from aistack.objects.recipes import Literal
from aistack.objects.users import UserSecret
from aistack.planning.plan import Planned, plan_stack
from tests.toy import applied, secrets, stack, starter, toy

STORE = "{components: [{name: store}]}"
OUTSIDE = "{{components: [{{name: store}}], external: [{{contract: blob, secretRef: {{name: ours}}, access: {}}}]}}"
USERS = {"ours": UserSecret({"host": "h", "port": "1", "region": "r", "username": "u"}, {"password": "m"})}


def binding(contract: str = "blob", *, leaves: bool = False, name: str = "report") -> AIBinding:
    metadata = BindingMetadata(name=name, namespace="ml", deletion_timestamp="2026-01-01T00:00:00Z" if leaves else None)
    return AIBinding(metadata=metadata, spec=AIBindingSpec(stack="demo", contract=contract))


def plan(*bindings: AIBinding, spec: str = STORE, observed: Observed | None = None) -> Planned:
    return plan_stack(stack(spec), toy(), observed or Observed(), bindings)


def test_an_app_is_a_consumer_without_workloads() -> None:
    (app,) = plan(binding()).apps
    assert app.unit
    assert (app.unit.name, app.unit.run, app.unit.cleanup) == ("app-report", (), ())
    assert [action.key for action in app.unit.actions] == ["app-report/blob"]
    assert [proof.edges for proof in app.unit.proofs] == [("app-report/blob",)]
    (share,) = [step for step in app.unit.prepare if isinstance(step, CreateSecret)]
    assert share.recipes["bucket"] == Literal("demo-app-report")
    assert not share.retain, "nothing that opens data outlives the binding"


def test_without_apps_a_plan_has_no_wave_for_them() -> None:
    assert all(plan().plan.waves)


def test_planning_again_changes_nothing() -> None:
    first = plan(binding())
    assert plan(binding(), observed=applied(first)).plan == first.plan


def test_one_that_leaves_ends_its_share_and_has_no_edge_to_prove() -> None:
    (app,) = plan(binding(leaves=True)).apps
    assert app.unit
    assert [action.key for action in app.unit.actions] == ["app-report/blob/revoke"]
    assert app.unit.proofs == ()


def test_a_provider_of_the_users_own_serves_apps_too_if_it_may_make_shares() -> None:
    admin = plan(binding(), spec=OUTSIDE.format("Admin"), observed=Observed(users=USERS)).apps[0]
    assert admin.edge and admin.edge.provider == "secret/ours"


def test_what_one_asks_in_vain_is_its_own_affair() -> None:
    planned = plan(binding("blub"), binding(name="good"))
    bad, good = sorted(planned.apps, key=lambda app: app.unit is not None)
    assert isinstance(bad.refusal, SpecError)
    assert bad.refusal.field == "spec.contract"
    assert good.unit


def test_no_names_make_a_database_for_vectors_another_s_database() -> None:
    """``x`` has vectors; others have rows, and names that come as near as names can."""
    asked = {"x": "vector", "x-vector": "postgres", "x--vector": "postgres"}
    apps = [binding(contract, name=name) for name, contract in asked.items()]
    made = secrets(plan_stack(stack("{components: [{name: postgres}]}"), starter(), Observed(), apps))
    assert [made[f"demo-app-{name}-{contract}"].recipes["database"] for name, contract in asked.items()] == [
        Literal("demo_app_x_vector_"),
        Literal("demo_app_x_vector"),
        Literal("demo_app_x__vector"),
    ]


def test_the_longest_names_make_a_login_that_postgresql_keeps_whole() -> None:
    """Those that are longer still are refused, as names of objects."""
    asked = stack("{components: [{name: postgres}]}", name="s" * MAX_STACK_NAME)
    apps = [binding("vector", name="x" * length) for length in range(1, MAX_CATALOG_NAME + 1)]
    late = {f"{asked.name}-app-{app.name}-vector": SecretRecord(99998, "", present=False) for app in apps}
    planned = plan_stack(asked, starter(), Observed(secrets=late), apps)
    made = [secret.recipes["username"] for base, secret in secrets(planned).items() if base in late]
    logins = [recipe.value for recipe in made if isinstance(recipe, Literal)]
    assert len(logins) == len([app for app in planned.apps if app.unit]) > 0
    assert all(login.endswith("_vector_.99999") for login in logins)
    assert max(map(len, logins)) <= 63


def test_a_name_that_is_too_long_is_the_binding_s_to_shorten() -> None:
    longest = stack(STORE, name="s" * MAX_STACK_NAME)
    (app,) = plan_stack(longest, toy(), Observed(), [binding(name="b" * MAX_CATALOG_NAME)]).apps
    assert str(app.refusal).endswith("63 are allowed; give the binding a shorter name, or the stack")
