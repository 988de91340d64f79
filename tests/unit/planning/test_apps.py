"""Apps: what a stack's plan has for the user's own consumers."""

from __future__ import annotations

from aistack.api.binding import AIBinding, AIBindingSpec, BindingMetadata
from aistack.errors import SpecError
from aistack.objects.plan import CreateSecret, Observed
from aistack.objects.recipes import Literal
from aistack.objects.users import UserSecret
from aistack.planning.plan import Planned, plan_stack
from tests.toy import applied, stack, toy

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
